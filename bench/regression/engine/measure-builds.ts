import type { Random } from '../../harness/seeded-random.ts';
import { median } from '../../harness/statistics.ts';
import type { ServiceUrls } from '../define-bench.ts';
import { bytesForCpuTime } from '../process/extra-work.ts';
import type { BenchPlan, ProcessSample } from '../process/plan.ts';
import { runChild } from '../process/run-child.ts';
import { startServices } from '../process/services.ts';
import type { FoundBench } from './find-benches.ts';
import type { GateBench, Side } from './gate-bench.ts';
import { type GateProgress, type GateRun, runGate } from './run-gate.ts';
import { type BenchReport, judgeRun } from './verdict.ts';

export interface GateSetup {
  /** Folder of each build. */
  readonly builds: Readonly<Record<Side, string>>;
  readonly benches: readonly FoundBench[];
  /** Time for everything that is measured, the preparation included. */
  readonly budgetMs: number;
  readonly random: Random;
  /** Folder of compiled code, kept between runs. */
  readonly compileCache: string;
  /** Slows one bench of head down on purpose, by this share of its CPU time. */
  readonly slowdown?: Slowdown;
  onRound?(progress: GateProgress): void;
}

export interface Slowdown {
  readonly bench: string;
  readonly ratio: number;
}

export interface GateOutcome {
  readonly reports: readonly BenchReport[];
  /** Benches that base can not run, and why. */
  readonly added: readonly Skipped[];
  /** Benches that this machine can not run, and why. */
  readonly skipped: readonly Skipped[];
  readonly run: Pick<GateRun, 'plannedBlocks' | 'rounds'>;
  readonly elapsedMs: number;
}

export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

interface Prepared {
  readonly found: FoundBench;
  readonly plan: BenchPlan;
  readonly extraBytes?: number;
}

/** Processes whose median gives the time of an operation, for a slowdown on purpose. */
const CALIBRATIONS = 5;

/** Prepares each bench, measures both builds, and judges. */
export async function measureBuilds(setup: GateSetup): Promise<GateOutcome> {
  const startedAtMs = performance.now();
  const services = await startServices(new Set(setup.benches.flatMap(({ bench }) => bench.needs)));
  try {
    const skipped: Skipped[] = [];
    const added: Skipped[] = [];
    const failed: BenchReport[] = [];
    const prepared = new Map<string, Prepared>();
    for (const found of setup.benches) {
      const { name, needs } = found.bench;
      const reasons = needs.flatMap((need) => services.missing.get(need) ?? []);
      const outcome = reasons.length > 0 ? { skipped: reasons.join('; ') } : await prepare(found, setup, services.urls);
      if ('skipped' in outcome) skipped.push({ name, reason: outcome.skipped });
      else if ('added' in outcome) added.push({ name, reason: outcome.added });
      else if ('failed' in outcome) failed.push(failedReport(found, outcome.failed));
      else prepared.set(name, outcome);
    }
    const run = await runGate(
      [...prepared.values()].map(({ found }) => gateBenchOf(found)),
      Math.max(0, setup.budgetMs - (performance.now() - startedAtMs)),
      {
        random: setup.random,
        nowMs: () => performance.now(),
        measure: ({ name }, side) => measureOnce(prepared.get(name), side, setup, services.urls),
        ...(setup.onRound !== undefined && { onRound: setup.onRound }),
      },
    );
    return {
      reports: [...judgeRun(run), ...failed],
      added,
      skipped,
      run: { plannedBlocks: run.plannedBlocks, rounds: run.rounds },
      elapsedMs: performance.now() - startedAtMs,
    };
  } finally {
    await services.stop();
  }
}

/**
 * Finds the counts on base, and runs both builds once. These values are dropped: the first process of a build also
 * compiles its code for all later ones.
 */
async function prepare(
  found: FoundBench,
  setup: GateSetup,
  services: ServiceUrls,
): Promise<Prepared | { readonly added: string } | { readonly failed: string }> {
  const planOf = (side: Side) => settle(findPlan(found, side, setup, services));
  const base = await planOf('base');
  const head =
    'reason' in base
      ? await planOf('head')
      : await settle(measureOnce({ found, ...base.value }, 'head', setup, services));
  if ('reason' in head) return { failed: head.reason };
  if ('reason' in base) return { added: base.reason };
  const { plan, operations } = base.value;
  if (setup.slowdown?.bench !== found.bench.name) return { found, plan };
  const samples: number[] = [];
  for (let index = 0; index < CALIBRATIONS; index += 1) {
    samples.push((await measureOnce({ found, plan }, 'base', setup, services)).cpu);
  }
  const perRunUs = median(samples) * operations;
  return { found, plan, extraBytes: bytesForCpuTime(perRunUs * setup.slowdown.ratio) };
}

async function findPlan(
  { module, bench }: FoundBench,
  side: Side,
  { builds, compileCache }: GateSetup,
  services: ServiceUrls,
): Promise<{ readonly plan: BenchPlan; readonly operations: number }> {
  const answer = await runChild({ module, bench: bench.name, build: builds[side], services }, compileCache);
  if (answer.kind !== 'plan') throw new Error(`${bench.name}: the process gave no plan`);
  return answer;
}

async function measureOnce(
  prepared: Prepared | undefined,
  side: Side,
  { builds, compileCache }: GateSetup,
  services: ServiceUrls,
): Promise<ProcessSample> {
  if (prepared === undefined) throw new Error('a bench was measured that was not prepared');
  const { found, plan, extraBytes } = prepared;
  const { module, bench } = found;
  const answer = await runChild(
    {
      module,
      bench: bench.name,
      build: builds[side],
      services,
      plan,
      memory: bench.measuresMemory,
      ...(side === 'head' && extraBytes !== undefined && { extraBytes }),
    },
    compileCache,
  );
  if (answer.kind !== 'sample') throw new Error(`${bench.name}: the process gave no sample`);
  return answer.sample;
}

const gateBenchOf = ({ bench }: FoundBench): GateBench => ({
  name: bench.name,
  clock: bench.clock,
  measures: bench.measuresMemory ? ['cpu', 'wall', 'memory'] : ['cpu', 'wall'],
});

const failedReport = ({ bench }: FoundBench, error: string): BenchReport => ({
  name: bench.name,
  clock: bench.clock,
  verdict: 'error',
  slowerBy: [],
  unconfirmed: false,
  blocks: [],
  confirmingBlocks: [],
  measures: [],
  error,
});

const settle = <Value>(promise: Promise<Value>): Promise<{ readonly value: Value } | { readonly reason: string }> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ reason: error instanceof Error ? error.message : String(error) }),
  );
