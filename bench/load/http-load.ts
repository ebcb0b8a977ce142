import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  createTestImage,
  type FakeOpenAIProcess,
  type FaultRule,
  type LoadResult,
  type LoadThresholds,
  PERFORMANCE_THRESHOLDS,
  startFakeOpenAIProcess,
} from '../../src/testing/index.ts';
import { judge } from '../../src/testing/load/judge-load.ts';
import { LoadTally } from '../../src/testing/load/load-tally.ts';
import { Skipped } from './compose.ts';
import { HTTP_TEST } from './load-tests.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const REQUESTS = 2000;
const CONNECTIONS = 32;
/** Each is asked for five times. */
const IMAGES = 400;
const START_TIMEOUT_MS = 20_000;

const FAULTS: readonly FaultRule[] = [
  { when: { probability: 0.03 }, fault: { kind: 'error', status: 500 } },
  {
    when: { probability: 0.02 },
    fault: { kind: 'error', code: 'rate_limit_exceeded', retryAfter: { form: 'milliseconds', ms: 50 } },
  },
  { when: { probability: 0.01 }, fault: { kind: 'reset', at: 'before-answer' } },
  { when: { probability: 0.01 }, fault: { kind: 'reset', at: 'mid-body' } },
  { when: { probability: 0.02 }, fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 700 } } },
];

const THRESHOLDS: LoadThresholds = { ...PERFORMANCE_THRESHOLDS, maxErrorRate: 0.01, maxRequestsPerCall: 0.3 };

/** The part of autocannon that is used; it has no types of its own. */
type Autocannon = (options: object) => PromiseLike<unknown> & {
  on(event: 'response', listener: (client: unknown, status: number, bytes: number, ms: number) => void): void;
  on(event: 'reqError', listener: (error: Error) => void): void;
};

function loadAutocannon(): Autocannon {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Skipped('the package is not built: npm run build');
  try {
    return createRequire(new URL('./http/package.json', import.meta.url))('autocannon') as Autocannon;
  } catch {
    throw new Skipped('autocannon is not installed: npm install --no-package-lock --prefix bench/load/http');
  }
}

/** The example in a folder of its own, where the package and Express are found by their names. */
async function installExample(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'describe-it-http-load-'));
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '@describe-it'), { recursive: true });
  await symlink(root, join(modules, '@describe-it/sdk'), 'dir');
  await symlink(join(root, 'node_modules/express'), join(modules, 'express'), 'dir');
  await copyFile(join(root, 'examples/express/server.mjs'), join(folder, 'server.mjs'));
  return folder;
}

async function startExample(folder: string, openai: FakeOpenAIProcess): Promise<{ child: ChildProcess; url: string }> {
  const env = { ...process.env, PORT: '0', OPENAI_API_KEY: openai.apiKey, OPENAI_BASE_URL: openai.baseURL };
  const child = spawn(process.execPath, ['server.mjs'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const signal = AbortSignal.timeout(START_TIMEOUT_MS);
  child.stderr?.on('data', (data) => lines.push(String(data)));
  const reader = createInterface({ input: child.stdout ?? process.stdin });
  const url = await new Promise<string>((resolve, reject) => {
    const failed = () => reject(new Error(`the example did not start:\n${lines.join('')}`));
    child.once('exit', failed);
    signal.addEventListener('abort', failed);
    reader.on('line', (line) => {
      const listening = /listening on (\S+)/.exec(line)?.[1];
      if (listening !== undefined) resolve(listening);
    });
  });
  return { child, url };
}

async function send(url: string, autocannon: Autocannon): Promise<LoadTally> {
  const tally = new LoadTally();
  const images = Array.from({ length: IMAGES }, (_, seed) => createTestImage({ seed }));
  let next = 0;
  const setupRequest = (request: object) => {
    next += 1;
    return { ...request, body: images[next % IMAGES] };
  };
  tally.begin(performance.now());
  const run = autocannon({
    url: `${url}/describe`,
    connections: CONNECTIONS,
    amount: REQUESTS,
    timeout: 30,
    requests: [{ method: 'POST', headers: { 'content-type': 'image/png' }, setupRequest }],
  });
  const count = (durationMs: number, code: string | undefined) => {
    if (code === undefined) tally.completed();
    tally.count({
      durationMs,
      outcome: code === undefined ? { answer: { description: '', source: 'http' } } : { error: { code } },
    });
  };
  run.on('response', (_client, status, _bytes, ms) => count(ms, status === 200 ? undefined : `HTTP ${status}`));
  run.on('reqError', (error) => count(0, error.name));
  await run;
  tally.pause(performance.now());
  return tally;
}

const WARM_UP_REQUESTS = 20;

/** The first requests of a process load modules and compile code; they are not counted. */
async function warmUpExample(url: string, openai: FakeOpenAIProcess): Promise<void> {
  for (let request = 0; request < WARM_UP_REQUESTS; request += 1) {
    const body = createTestImage({ seed: IMAGES + request });
    const answer = await fetch(`${url}/describe`, { method: 'POST', headers: { 'content-type': 'image/png' }, body });
    await answer.arrayBuffer();
  }
  await openai.reset();
}

/** Sends 2,000 HTTP requests to the Express example, whose API has faults. */
export async function runHttpLoad(): Promise<LoadResult> {
  const autocannon = loadAutocannon();
  const startedAt = new Date().toISOString();
  const openai = await startFakeOpenAIProcess({
    record: false,
    latency: { distribution: 'log-normal', medianMs: 20, sigma: 0.4 },
    faults: FAULTS,
  });
  const folder = await installExample();
  let child: ChildProcess | undefined;
  try {
    const example = await startExample(folder, openai);
    child = example.child;
    await warmUpExample(example.url, openai);
    const tally = await send(example.url, autocannon);
    const { requestsByEndpoint, requestsBilled, rateLimited } = await openai.getStats();
    const counted = { sent: requestsByEndpoint.chat, billed: requestsBilled, refused: rateLimited };
    const figures = tally.figures(counted);
    const verdicts = judge(figures, THRESHOLDS);
    const passed = figures.calls === REQUESTS && verdicts.every(({ status }) => status !== 'missed');
    return { version: 1, scenario: HTTP_TEST, startedAt, seed: 1, ...figures, phases: [], verdicts, passed };
  } finally {
    if (child !== undefined && child.exitCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    await openai.close();
    await rm(folder, { recursive: true, force: true });
  }
}
