// Installs the packed tarball as a stranger would and runs it: every Node, both majors of openai, ESM, CJS and
// TypeScript, with and without ioredis.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packTarball } from './packed.ts';
import { environmentOf, installRuntime, NODE_MAJORS, type Runtime, repositoryRoot, runCommand } from './runtimes.ts';

const OPENAI_MAJORS = [6, 7] as const;
const NPM_INSTALL = ['install', '--no-audit', '--no-fund', '--no-save', '--loglevel=error'];

const workspace = mkdtempSync(join(tmpdir(), 'describe-it-consumers-'));
let checks = 0;
const passed = (what: string) => {
  checks += 1;
  console.log(`ok ${what}`);
};

function consumerFolder(name: string, packages: readonly string[], env: NodeJS.ProcessEnv): string {
  const folder = join(workspace, name);
  cpSync(join(repositoryRoot, '.ci', 'consumer'), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  runCommand('npm', [...NPM_INSTALL, ...packages], { cwd: folder, env });
  return folder;
}

/** openai 7 needs Node 22; everything else runs on every Node. */
const supports = ({ major }: Runtime, openaiMajor: number) => openaiMajor < 7 || major >= 22;

try {
  const tarball = packTarball(workspace);
  const images = join(repositoryRoot, 'examples', 'images');
  for (const runtime of NODE_MAJORS.map(installRuntime)) {
    const env = { ...environmentOf(runtime), CONSUMER_IMAGES: images };
    for (const openaiMajor of OPENAI_MAJORS.filter((major) => supports(runtime, major))) {
      const name = `node-${runtime.major}-openai-${openaiMajor}`;
      const folder = consumerFolder(name, [tarball, `openai@${openaiMajor}`], env);
      for (const script of readdirSync(folder).filter((file) => /\.(mjs|cjs)$/.test(file))) {
        runCommand(runtime.node, [script], { cwd: folder, env, timeoutMs: 30_000 });
        passed(`${name} ${script}`);
      }
    }
  }

  const [runtime] = NODE_MAJORS.map(installRuntime).slice(-2);
  if (runtime === undefined) throw new Error('no runtime');
  const env = environmentOf(runtime);
  const compiler = join(repositoryRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  for (const openaiMajor of OPENAI_MAJORS) {
    const folder = consumerFolder(
      `types-openai-${openaiMajor}`,
      [tarball, `openai@${openaiMajor}`, '@types/node@20'],
      env,
    );
    for (const project of ['node16', 'bundler']) {
      runCommand(runtime.node, [compiler, '--project', `tsconfig.${project}.json`], { cwd: folder, env });
      passed(`types openai-${openaiMajor} ${project}, skipLibCheck off, no ioredis`);
    }
  }
  const example = join(workspace, 'express');
  for (const folder of ['examples/express', '.ci/consumer-express']) {
    cpSync(join(repositoryRoot, folder), example, {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    });
  }
  // The example's own package.json, but for the package itself, which is the one packed just now.
  const manifest = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8'));
  manifest.dependencies['@describe-it/sdk'] = `file:${tarball}`;
  writeFileSync(join(example, 'package.json'), JSON.stringify(manifest));
  runCommand(
    'npm',
    NPM_INSTALL.filter((argument) => argument !== '--no-save'),
    { cwd: example, env },
  );
  runCommand(runtime.node, ['drive.mjs'], {
    cwd: example,
    env: { ...env, CONSUMER_IMAGES: images },
    timeoutMs: 40_000,
  });
  passed('examples/express, driven over HTTP');
  console.log(`consumers: ${checks} checks passed`);
} finally {
  rmSync(workspace, { recursive: true, force: true });
}
