import { setTimeout as sleep } from 'node:timers/promises';
import { median, quantile } from '../../harness/statistics.ts';
import type { PreparedContender } from '../../harness/suite.ts';
import type { BenchPlan, ProcessSample } from './plan.ts';

type TimedContender = Extract<PreparedContender, { kind: 'timed' }>;

/**
 * CPU time that a sample should take. Reading the clocks is some thousandths of it, and most samples are over before
 * the kernel gives the core to another process.
 */
const SAMPLE_CPU_US = 1_000;
const WARM_UP_CPU_US = 50_000;
const MEASURED_CPU_US = 70_000;
const MIN_SAMPLES = 7;

/**
 * The warm-up pauses this often, this long. V8 compiles in another thread, which waits for a core on a busy machine.
 * Without a pause one process would sample interpreted code, and the next one compiled code.
 */
const PAUSES = 4;
const PAUSE_MS = 5;

interface Batch {
  readonly cpuUs: number;
  readonly wallUs: number;
}

/** Runs a contender by counts, not by time: a busy machine then changes how long a process takes, not what it does. */
export async function measureRun(contender: TimedContender, plan: BenchPlan): Promise<ProcessSample> {
  const counted = new CountedRuns(contender);
  await counted.begin();
  for (let pause = 0; pause < PAUSES; pause += 1) {
    await counted.batch(Math.ceil(plan.warmUpRuns / PAUSES));
    await sleep(PAUSE_MS);
  }
  const cpu: number[] = [];
  const wall: number[] = [];
  const operations = plan.runsPerSample * contender.operations;
  for (let sample = 0; sample < plan.samples; sample += 1) {
    const { cpuUs, wallUs } = await counted.batch(plan.runsPerSample);
    cpu.push(cpuUs / operations);
    wall.push(wallUs / operations);
  }
  await counted.end();
  return { cpu: median(cpu), wall: median(wall) };
}

/** Finds the counts by CPU time, which a busy machine changes least. */
export async function findPlan(contender: TimedContender): Promise<BenchPlan> {
  const counted = new CountedRuns(contender);
  await counted.begin();
  const perRunUs: number[] = [];
  let runs = 1;
  let spentUs = 0;
  while (spentUs < WARM_UP_CPU_US + MEASURED_CPU_US || perRunUs.length < MIN_SAMPLES) {
    const { cpuUs } = await counted.batch(runs);
    spentUs += cpuUs;
    if (cpuUs < SAMPLE_CPU_US / 2) runs *= 2;
    else perRunUs.push(cpuUs / runs);
    await sleep(0);
  }
  await counted.end();
  // The early batches ran in interpreted code, and some of the others beside something else.
  const runUs = quantile(perRunUs, 0.25);
  const runsPerSample = Math.max(1, Math.round(SAMPLE_CPU_US / runUs));
  const samples = Math.max(MIN_SAMPLES, Math.round(MEASURED_CPU_US / (runsPerSample * runUs)));
  return { warmUpRuns: Math.max(PAUSES, Math.round(WARM_UP_CPU_US / runUs)), runsPerSample, samples };
}

/** Runs a contender, verifies a result of each batch, and at the end that all operations were counted. */
class CountedRuns {
  readonly #contender: TimedContender;
  #isAsync = false;
  #runs = 0;

  constructor(contender: TimedContender) {
    this.#contender = contender;
  }

  async begin(): Promise<void> {
    await this.#contender.beforeSlice();
    const first = this.#contender.run();
    this.#isAsync = typeof (first as { then?: unknown } | undefined)?.then === 'function';
    this.#contender.verify(await first);
    this.#runs += 1;
  }

  async batch(runs: number): Promise<Batch> {
    const contender = this.#contender;
    let result: unknown;
    const cpuBefore = process.cpuUsage();
    const startedAtMs = performance.now();
    if (this.#isAsync) for (let index = 0; index < runs; index += 1) result = await contender.run();
    else for (let index = 0; index < runs; index += 1) result = contender.run();
    const wallUs = (performance.now() - startedAtMs) * 1_000;
    const { user, system } = process.cpuUsage(cpuBefore);
    contender.verify(result);
    this.#runs += runs;
    return { cpuUs: user + system, wallUs };
  }

  async end(): Promise<void> {
    await this.#contender.afterSlice(this.#runs * this.#contender.operations);
  }
}
