// node bundle.mjs ENTRY OUT_FOLDER [NAME]: bundles the entry with every bundler, or those of a name, and prints a JSON
// line of the results. Runs in its own process and folder: the bundlers are no tools of the package.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import nodeResolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import * as esbuild from 'esbuild';
import { rolldown } from 'rolldown';
import { rollup } from 'rollup';
import { build as vite } from 'vite';
import webpack from 'webpack';
import oldWebpack from 'webpack-5.90';

const [entry, out, only = ''] = process.argv.slice(2);

const REQUIRE_BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

const byEsbuild =
  (format, banner) =>
  async ({ file, minify }) => {
    await esbuild.build({
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
      format,
      minify,
      outfile: file,
      ...(banner !== undefined && { banner: { js: banner } }),
    });
  };

const byWebpack =
  (compiler) =>
  ({ folder, name, minify }) =>
    new Promise((resolve, reject) => {
      const output = { path: folder, filename: name };
      const options = {
        mode: 'production',
        target: 'node20',
        entry,
        output,
        optimization: { minimize: minify },
      };
      compiler(options, (error, stats) => {
        if (error) return reject(error);
        const [first] = stats.compilation.errors;
        return first === undefined ? resolve() : reject(first);
      });
    });

const byRollup = async ({ file, minify }) => {
  const bundle = await rollup({
    input: entry,
    onLog: () => {},
    plugins: [nodeResolve({ preferBuiltins: true }), commonjs(), json(), ...(minify ? [terser()] : [])],
  });
  await bundle.write({ file, format: 'esm', inlineDynamicImports: true });
};

const byRolldown = async ({ file, minify }) => {
  const bundle = await rolldown({ input: entry, platform: 'node', onLog: () => {} });
  await bundle.write({ file, format: 'esm', minify, codeSplitting: false });
};

const byVite = ({ folder, name, minify }) =>
  vite({
    configFile: false,
    logLevel: 'silent',
    root: folder,
    ssr: { noExternal: true },
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      minify,
      target: 'node20',
      rolldownOptions: { output: { entryFileNames: name, codeSplitting: false } },
    },
  });

const byNcc = async ({ folder, minify }) => {
  const cli = fileURLToPath(import.meta.resolve('@vercel/ncc/dist/ncc/cli.js'));
  const args = ['build', entry, '--quiet', ...(minify ? ['--minify'] : []), '--out', folder];
  const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
};

const BUNDLERS = [
  ['esbuild, CommonJS', 'cjs', byEsbuild('cjs')],
  ['esbuild, ESM', 'mjs', byEsbuild('esm')],
  ['esbuild, ESM with banner', 'mjs', byEsbuild('esm', REQUIRE_BANNER)],
  ['webpack 5.90', 'cjs', byWebpack(oldWebpack)],
  ['webpack 5', 'cjs', byWebpack(webpack)],
  ['rollup', 'mjs', byRollup],
  ['rolldown', 'mjs', byRolldown],
  ['vite (ssr, noExternal)', 'mjs', byVite],
  ['@vercel/ncc', 'mjs', byNcc],
];

const built = [];
for (const [bundler, extension, build] of BUNDLERS.filter(([bundler]) => bundler.includes(only))) {
  for (const minify of [false, true]) {
    const folder = join(out, `${built.length}`);
    mkdirSync(folder, { recursive: true });
    const name = `index.${extension}`;
    const file = join(folder, name);
    const failure = await build({ folder, name, file, minify }).then(
      () => undefined,
      (error) => String(error.message ?? error).split('\n')[0],
    );
    built.push({ bundler, minify, file, ...(failure !== undefined && { failure }) });
  }
}
console.log(JSON.stringify(built));
