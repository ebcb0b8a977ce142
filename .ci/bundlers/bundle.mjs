// node bundle.mjs ENTRY OUT_FOLDER: bundles the entry with every bundler and prints a JSON line of the results.
// Runs in its own process and folder: the bundlers are no tools of the package.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import nodeResolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import ncc from '@vercel/ncc';
import * as esbuild from 'esbuild';
import { rolldown } from 'rolldown';
import { rollup } from 'rollup';
import { build as vite } from 'vite';
import webpack from 'webpack';
import oldWebpack from 'webpack-5.90';

const [entry, out] = process.argv.slice(2);

const REQUIRE_BANNER =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

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

const byNcc = async ({ folder, name, minify }) => {
  const { code, assets } = await ncc(entry, { minify, quiet: true, filename: 'bundle' });
  writeFileSync(join(folder, name), code);
  for (const [asset, { source }] of Object.entries(assets)) writeFileSync(join(folder, asset), source);
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
for (const [bundler, extension, build] of BUNDLERS) {
  for (const minify of [false, true]) {
    const folder = join(out, `${built.length}`);
    mkdirSync(folder, { recursive: true });
    const name = `bundle.${extension}`;
    const file = join(folder, name);
    const failure = await build({ folder, name, file, minify }).then(
      () => undefined,
      (error) => String(error.message ?? error).split('\n')[0],
    );
    built.push({ bundler, minify, file, ...(failure !== undefined && { failure }) });
  }
}
console.log(JSON.stringify(built));
