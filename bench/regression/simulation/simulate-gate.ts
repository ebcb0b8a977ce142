import { seededRandom } from '../../harness/seeded-random.ts';
import { median } from '../../harness/statistics.ts';
import type { GateBench, Side } from '../engine/gate-bench.ts';
import { runGate } from '../engine/run-gate.ts';
import { type BenchReport, judgeRun } from '../engine/verdict.ts';
import type { ProcessSample } from '../process/plan.ts';

/** Process medians of one bench of one build, in the order in which they were measured, four a block. */
export interface RecordedNoise {
  readonly cpu: readonly number[];
  readonly wall: readonly number[];
}

export interface SimulationOptions {
  readonly noise: Readonly<Record<string, RecordedNoise>>;
  readonly seed: number;
  /** Slows one bench of head by this ratio: 0.25 is a quarter more. */
  readonly slowdown?: { readonly bench: string; readonly ratio: number };
  /** Multiplies the recorded deviations: 0.3 makes a machine that is three times as quiet. @defaultValue 1 */
  readonly noiseScale?: number;
  /** @defaultValue 110000: two minutes without the preparation */
  readonly budgetMs?: number;
  /** How long one process takes, in milliseconds. @defaultValue 450 */
  readonly processMs?: number;
}

/** Runs the whole gate on recorded noise, in virtual time. The same seed gives the same verdicts. */
export async function simulateGate(options: SimulationOptions): Promise<readonly BenchReport[]> {
  const { noise, seed, slowdown, noiseScale = 1, budgetMs = 110_000, processMs = 450 } = options;
  const random = seededRandom(seed);
  let nowMs = 0;
  const sources = new Map(
    Object.entries(noise).map(([name, recorded]) => [name, follow(recorded, noiseScale, random)]),
  );
  const benches = Object.keys(noise).map((name): GateBench => ({ name, clock: 'cpu', measures: ['cpu', 'wall'] }));
  const run = await runGate(benches, budgetMs, {
    random,
    nowMs: () => nowMs,
    measure: async ({ name }, side: Side) => {
      nowMs += processMs;
      const sample = sources.get(name)?.() ?? { cpu: 1, wall: 1 };
      const factor = side === 'head' && name === slowdown?.bench ? 1 + slowdown.ratio : 1;
      return { cpu: sample.cpu * factor, wall: sample.wall * factor };
    },
  });
  return judgeRun(run);
}

/** Values that were measured one after the other, as those of a block are. */
const BLOCK = 4;

/** Takes whole recorded blocks, so that a disturbance lasts as long as it did. Which block is drawn. */
function follow({ cpu, wall }: RecordedNoise, scale: number, random: () => number): () => ProcessSample {
  const quieter = (values: readonly number[]) => {
    const middle = median(values);
    return values.map((value) => (value / middle) ** scale);
  };
  const cpus = quieter(cpu);
  const walls = quieter(wall);
  const blocks = Math.floor(cpus.length / BLOCK);
  let next = 0;
  return () => {
    if (next % BLOCK === 0) next = BLOCK * Math.floor(random() * blocks);
    const sample = { cpu: cpus[next] ?? 1, wall: walls[next] ?? 1 };
    next += 1;
    return sample;
  };
}
