import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One run of Vitest. */
export interface TestRun {
  /** The repository whose tests run. */
  readonly root: string;
  readonly files: readonly string[];
  readonly testTimeoutMs: number;
  readonly runTimeoutMs: number;
  /** Further arguments for Vitest. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** The first test that fails, as `<file>: <title>`; undefined when all pass. */
export function firstFailure(run: TestRun): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'first-failure-'));
  try {
    return failureIn(run, join(folder, 'report.json'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function failureIn({ root, files, testTimeoutMs, runTimeoutMs, args = [], env }: TestRun, report: string) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const fixed = ['run', '--bail=1', '--typecheck.enabled=false', `--testTimeout=${testTimeoutMs}`, '--reporter=json'];
  const { status } = spawnSync(process.execPath, [vitest, ...fixed, `--outputFile=${report}`, ...args, ...files], {
    cwd: root,
    env: env ?? process.env,
    stdio: 'ignore',
    timeout: runTimeoutMs,
  });
  if (status === 0) return undefined;
  if (!existsSync(report)) return 'the run did not end';
  const { testResults }: TestReport = JSON.parse(readFileSync(report, 'utf8'));
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.find((test) => test.status === 'failed');
    if (failed === undefined) continue;
    const isTimeout = failed.failureMessages?.some((message) => message.includes('timed out')) === true;
    return `${name.replace(`${root}/`, '')}: ${failed.fullName}${isTimeout ? ' (timed out)' : ''}`;
  }
  // With `--bail` files that were not run count as failed too.
  return 'an error outside of the tests';
}
