import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Sample, SampledContender } from './suite.ts';

const CHILD = fileURLToPath(new URL('./fresh-process-child.mjs', import.meta.url));
const run = promisify(execFile);

export interface FreshProcessOptions {
  /** URL of the module to import (`import.meta.resolve('openai')`, or a `file:` URL). */
  readonly module: string | URL;
  /** An export that the module must have, so that the right thing was loaded. */
  readonly expectedExport: string;
  /**
   * `import`: the sample is the cost of importing the module. `call`: the module is imported first, and the sample is
   * the cost of `expectedExport()`, awaited. @defaultValue 'import'
   */
  readonly measure?: 'import' | 'call';
  /** Arguments of Node, such as `--cpu-prof`. */
  readonly execArgv?: readonly string[];
  /** @defaultValue 60000 */
  readonly timeoutMs?: number;
}

/** A contender that measures in a new Node process each round: for import costs and cold starts. */
export function freshProcess(options: FreshProcessOptions): SampledContender<unknown> {
  return { sample: () => sampleInFreshProcess(options) };
}

/** One such sample. Rejects when the child fails, or lacks the expected export. */
export async function sampleInFreshProcess({
  module,
  expectedExport,
  measure = 'import',
  execArgv = [],
  timeoutMs = 60_000,
}: FreshProcessOptions): Promise<Sample> {
  // An import costs a fraction where its code was compiled before, and the harness keeps such code for its own processes.
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const { stdout } = await run(process.execPath, [...execArgv, CHILD, String(module), expectedExport, measure], {
    env,
    timeout: timeoutMs,
  });
  const sample: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  if (!isSample(sample)) throw new Error(`${String(module)}: the child process gave no sample`);
  return sample;
}

const isSample = (value: unknown): value is Sample =>
  typeof value === 'object' && value !== null && Number.isFinite((value as { value?: unknown }).value);
