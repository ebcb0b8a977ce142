import { seededRandom } from '../../harness/seeded-random.ts';
import { median } from '../../harness/statistics.ts';
import type { GateBench, Side } from '../engine/gate-bench.ts';
import { runGate } from '../engine/run-gate.ts';
import { type BenchReport, judgeRun } from '../engine/verdict.ts';
import type { ProcessSample } from '../process/plan.ts';

/** Process medians of one bench of one build, in the order in which they were measured. */
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

/** Neighbours stay neighbours, so that a disturbance lasts as long as it did. The start is drawn. */
function follow({ cpu, wall }: RecordedNoise, scale: number, random: () => number): () => ProcessSample {
  const quieter = (values: readonly number[]) => {
    const middle = median(values);
    return values.map((value) => (value / middle) ** scale);
  };
  const cpus = quieter(cpu);
  const walls = quieter(wall);
  let next = Math.floor(random() * cpus.length);
  return () => {
    next = (next + 1) % cpus.length;
    // A block is followed by a gap in which the other benches run.
    if (random() < 0.25) next = Math.floor(random() * cpus.length);
    return { cpu: cpus[next] ?? 1, wall: walls[next] ?? 1 };
  };
}
