import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const root = fileURLToPath(new URL('.', import.meta.url));

const testFiles = ['src', 'bench', 'examples', '.ci'].flatMap((folder) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`),
);

/** Only the files that start a Redis have it looked for, and installed: the others need nothing but Node. */
const startsRedis = (path: string) => /\bstartRedis[A-Z]\w*\(/.test(readFileSync(`${root}${path}`, 'utf8'));

/**
 * Mocks a module, sets the environment, replaces the timers, measures the heap, collects garbage or counts what is open
 * in the process: another file in the same process would show in it. So do the files that start a Redis. All others
 * share their worker's modules, which are then loaded once and not once a file.
 */
const needsOwnProcess = (path: string) =>
  /\bvi\.(mock|doMock|resetModules|stubEnv|useFakeTimers)\(|\bonManualClock\(|\bprocess\.env(\[[^\]]*\]|\.\w+)? = |Object\.assign\(process\.env|delete process\.env|\bheapUsed\b|getActiveResourcesInfo|\bWeakRef\b|expose.gc|\bcollectGarbage\b/.test(
    readFileSync(`${root}${path}`, 'utf8'),
  );

const groupOf = (path: string) => (startsRedis(path) ? 'redis' : needsOwnProcess(path) ? 'alone' : 'shared');

const project = (
  name: ReturnType<typeof groupOf>,
  test: TestProjectInlineConfiguration['test'],
): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, include: testFiles.filter((path) => groupOf(path) === name), ...test },
});

/** Vitest gives this flag to the root only, and not to its projects. */
const withTypes = !process.argv.includes('--typecheck.enabled=false');

const types: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'types',
    include: [],
    typecheck: { enabled: true, only: true, include: ['src/**/*.test-d.ts'], tsconfig: './tsconfig.json' },
  },
};

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@describe-it\/sdk$/, replacement: source('index.ts') },
      { find: /^@describe-it\/sdk\/(.+)$/, replacement: source('$1/index.ts') },
    ],
  },
  test: {
    projects: [
      project('shared', { isolate: false }),
      project('alone', {}),
      project('redis', { setupFiles: ['.ci/redis-setup.ts'] }),
      ...(withTypes ? [types] : []),
    ],
    dangerouslyIgnoreUnhandledErrors: false,
    // A deadline for what hangs, not for what is slow: the suite passes while other processes keep every core busy.
    expect: { poll: { timeout: 30_000, interval: 10 } },
    // Two more than there are cores: many files wait for a server, a process or a timer.
    maxWorkers: availableParallelism() + 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env['CI'] ? ['default', './.ci/summary-reporter.ts'] : ['default'],
  },
});
