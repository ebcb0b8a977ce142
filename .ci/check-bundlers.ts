// Bundles a small app with every bundler, minified and not, with and without ioredis. Runs each bundle on the oldest
// Node, in a folder without node_modules. Writes the table of docs/guide/bundlers.md.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { startFakeOpenAI } from '../src/testing/index.ts';
import { startRedisServer } from '../src/testing/redis-server.ts';
import { tableOf, writeMarked } from './marked-table.ts';
import { packTarball } from './packed.ts';
import { environmentOf, installRuntime, NODE_MAJORS, repositoryRoot, runCommand } from './runtimes.ts';

interface Bundle {
  readonly bundler: string;
  readonly minify: boolean;
  readonly file: string;
  /** Why there is none. */
  readonly failure?: string;
}

const NPM_INSTALL = ['install', '--no-audit', '--no-fund', '--loglevel=error'];
const workspace = mkdtempSync(join(tmpdir(), 'describe-it-bundlers-'));
const tools = join(repositoryRoot, '.ci', 'bundlers');
const runtime = installRuntime(NODE_MAJORS[0]);
const env = environmentOf(runtime);

/** Bundles the app of a folder that has these packages. */
function bundlesWith(name: string, packages: readonly string[]): readonly Bundle[] {
  const app = join(workspace, name, 'app');
  cpSync(join(tools, 'app'), app, { recursive: true });
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  runCommand('npm', [...NPM_INSTALL, ...packages], { cwd: app, env });
  const out = join(workspace, name, 'out');
  mkdirSync(out);
  const printed = runCommand(process.execPath, [join(tools, 'bundle.mjs'), join(app, 'describe.mjs'), out], {
    cwd: app,
    timeoutMs: 900_000,
  });
  return JSON.parse(printed.trim().split('\n').at(-1) ?? '[]');
}

/** Runs a bundle beside this process, which serves it, and gives the last line it printed. */
const run = ({ file }: Bundle, settings: NodeJS.ProcessEnv): Promise<string> =>
  new Promise((resolve) => {
    const child = spawn(runtime.node, [file], {
      cwd: dirname(file),
      env: { ...env, ...settings },
      timeout: 60_000,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    child.on('close', (status) => {
      const failure = stderr.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? `exit ${status}`;
      // A minified bundle prints its only line before the error.
      resolve(status === 0 ? (stdout.trim().split('\n').at(-1) ?? '') : failure.slice(0, 120));
    });
  });

if (!existsSync(join(tools, 'node_modules'))) {
  runCommand('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: tools });
}
const api = await startFakeOpenAI();
const server = await startRedisServer();
const redis = new Redis(server.port);
const cells = new Map<string, string[]>();
const wrong: string[] = [];

/** Works: the description came, and Redis holds it when one was named. */
async function judge(bundle: Bundle, withRedis: boolean): Promise<string> {
  if (bundle.failure !== undefined) return `not built: ${bundle.failure}`;
  await redis.flushall();
  const said = await run(bundle, {
    CHECK_API: api.baseURL,
    CHECK_KEY: api.apiKey,
    ...(withRedis && { CHECK_REDIS: server.url }),
  });
  if (!said.startsWith('PNG ')) return said;
  return withRedis && (await redis.dbsize()) === 0 ? 'memory only' : 'works';
}

try {
  const tarball = packTarball(workspace);
  for (const withRedis of [false, true]) {
    const packages = [tarball, 'openai@6', ...(withRedis ? ['ioredis@5'] : [])];
    for (const bundle of bundlesWith(withRedis ? 'with-ioredis' : 'plain', packages)) {
      const verdict = await judge(bundle, withRedis);
      const row = cells.get(bundle.bundler) ?? [];
      cells.set(bundle.bundler, [...row, verdict]);
      // The one combination that docs/guide/bundlers.md says needs a banner.
      const isKnown = withRedis && bundle.bundler === 'esbuild, ESM' && verdict === 'memory only';
      if (verdict !== 'works' && !isKnown) wrong.push(`${bundle.bundler}: ${verdict}`);
    }
  }
  const head = ['Bundler', 'plain', 'minified', 'with ioredis and Redis', 'the same, minified'];
  const rows = [...cells].map(([bundler, verdicts]) => [bundler, ...verdicts]);
  writeMarked('docs/guide/bundlers.md', 'bundlers', tableOf([head, ...rows]));
} finally {
  redis.disconnect();
  await server.stop();
  await api.close();
  rmSync(workspace, { recursive: true, force: true });
}
for (const line of wrong) console.error(line);
process.exitCode = wrong.length > 0 ? 1 : 0;
