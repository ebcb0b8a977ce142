import { Bench } from 'tinybench';
import { allocatedBytes } from './allocated-bytes.ts';
import type { PreparedContender } from './suite.ts';

export type TimedContender = Extract<PreparedContender, { kind: 'timed' }>;

/** The values of one contender in its slice of one round, per operation. */
export interface Slice {
  /** Median over the samples of the slice. */
  readonly value: number;
  readonly p99?: number;
  readonly cpuMs?: number;
  /** Bytes that were allocated on the JavaScript heap. */
  readonly allocatedBytes?: number;
  /** How far the memory of the process rose above where it stood before the first call. */
  readonly peakBytes?: number;
  readonly operations: number;
}

/** The way to call a contender, found once before the first round. */
export interface Calibration {
  readonly isAsync: boolean;
  /** Runs in one sample, so that the clock's own cost vanishes. */
  readonly batch: number;
}

/** Least time of one sample. A clock reading costs some 50 ns: a ten-thousandth of this. */
const MIN_SAMPLE_MS = 0.5;
const MAX_BATCH = 2 ** 20;

/** Finds the batch size, and warms the contender up on the way. */
export async function calibrate(contender: TimedContender): Promise<Calibration> {
  await contender.beforeSlice();
  let operations = 0;
  const first = contender.run();
  const isAsync = isThenable(first);
  contender.verify(await first);
  operations += contender.operations;
  let batch = 1;
  for (;;) {
    const { elapsedMs } = isAsync ? await runAsync(contender, batch) : runSync(contender, batch);
    operations += batch * contender.operations;
    if (elapsedMs >= MIN_SAMPLE_MS || batch >= MAX_BATCH) break;
    batch = Math.min(MAX_BATCH, batch * (elapsedMs < MIN_SAMPLE_MS / 8 ? 8 : 2));
  }
  await contender.afterSlice(operations);
  return { isAsync, batch };
}

/** Runs a contender unmeasured for a time. */
export async function warmUp(contender: TimedContender, { isAsync, batch }: Calibration, time: number): Promise<void> {
  await contender.beforeSlice();
  let operations = 0;
  const endsAtMs = performance.now() + time;
  do {
    if (isAsync) await runAsync(contender, batch);
    else runSync(contender, batch);
    operations += batch * contender.operations;
  } while (performance.now() < endsAtMs);
  await contender.afterSlice(operations);
}

/** Bytes of the heap that an operation allocates; the loop's own are too few to show. */
export async function allocationSlice(
  contender: TimedContender,
  { isAsync, batch }: Calibration,
  sliceMs: number,
): Promise<number> {
  await contender.beforeSlice();
  let operations = 0;
  const bytes = await allocatedBytes(async () => {
    const endsAtMs = performance.now() + sliceMs;
    do {
      contender.verify((isAsync ? await runAsync(contender, batch) : runSync(contender, batch)).result);
      operations += batch * contender.operations;
    } while (performance.now() < endsAtMs);
  });
  await contender.afterSlice(operations);
  return bytes / operations;
}

/** Measures one contender for at least `sliceMs`; every sample's last result is verified outside the timed part. */
export async function timedSlice(
  contender: TimedContender,
  { isAsync, batch }: Calibration,
  sliceMs: number,
): Promise<Slice> {
  const perSample = batch * contender.operations;
  let samples = 0;
  const toTinybench = ({ elapsedMs, result }: Batch) => {
    contender.verify(result);
    samples += 1;
    return { overriddenDuration: elapsedMs / perSample, overriddenIterationCost: elapsedMs };
  };
  const bench = new Bench({ time: sliceMs, iterations: 3, warmup: false, throws: true });
  if (isAsync) bench.add('slice', async () => toTinybench(await runAsync(contender, batch)), { async: true });
  else bench.add('slice', () => toTinybench(runSync(contender, batch)), { async: false });

  await contender.beforeSlice();
  const cpuBefore = process.cpuUsage();
  const [task] = await bench.run();
  const { user, system } = process.cpuUsage(cpuBefore);
  const operations = samples * perSample;
  await contender.afterSlice(operations);

  if (task?.result.state !== 'completed') throw new Error(`${contender.name}: not measured`);
  const { p50, p99 } = task.result.latency;
  return { value: p50, p99, cpuMs: (user + system) / 1000 / operations, operations };
}

interface Batch {
  readonly elapsedMs: number;
  readonly result: unknown;
}

function runSync(contender: TimedContender, batch: number): Batch {
  let result: unknown;
  const startedAtMs = performance.now();
  for (let index = 0; index < batch; index += 1) result = contender.run();
  return { elapsedMs: performance.now() - startedAtMs, result };
}

async function runAsync(contender: TimedContender, batch: number): Promise<Batch> {
  let result: unknown;
  const startedAtMs = performance.now();
  for (let index = 0; index < batch; index += 1) result = await contender.run();
  return { elapsedMs: performance.now() - startedAtMs, result };
}

const isThenable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
