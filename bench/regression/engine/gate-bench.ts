import type { ProcessSample } from '../process/plan.ts';
import type { LogBlock } from '../statistics/block-test.ts';

/** The two builds that are compared. */
export type Side = 'base' | 'head';

/** The quantities that a process can measure. Lower is better for all. */
export type Measure = 'cpu' | 'wall' | 'memory';

/** A bench as the engine sees it. */
export interface GateBench {
  readonly name: string;
  /** The clock that decides between `same` and `cannot tell`. */
  readonly clock: 'cpu' | 'wall';
  readonly measures: readonly Measure[];
}

/** Four processes of one bench, close in time. */
export interface Block {
  readonly base: readonly [ProcessSample, ProcessSample];
  readonly head: readonly [ProcessSample, ProcessSample];
}

/** One measure of one bench: a hypothesis of the family. */
export type Hypothesis = `${Measure} of ${string}`;

export const hypothesisOf = (bench: GateBench, measure: Measure): Hypothesis => `${measure} of ${bench.name}`;

/** Where a bench stands. A `settled` one is surely within the minimum effect. */
export type BenchPhase = 'screening' | 'settled' | 'suspect' | 'confirmed' | 'refuted' | 'failed';

/** A bench in the course of a run. */
export class BenchState {
  readonly bench: GateBench;
  phase: BenchPhase = 'screening';
  /** Blocks of the first and of the second stage. */
  readonly screened: Block[] = [];
  readonly confirming: Block[] = [];
  /** Measures that the first stage suspected, and those that the second confirmed. */
  suspected: readonly Measure[] = [];
  confirmed: readonly Measure[] = [];
  error: Error | undefined;

  constructor(bench: GateBench) {
    this.bench = bench;
  }
}

/** A measure of blocks as logarithms. */
export const logBlocks = (blocks: readonly Block[], measure: Measure): readonly LogBlock[] =>
  blocks.map(({ base, head }) => ({
    base: [logOf(base[0], measure), logOf(base[1], measure)],
    head: [logOf(head[0], measure), logOf(head[1], measure)],
  }));

const logOf = (sample: ProcessSample, measure: Measure): number => Math.log(sample[measure] ?? Number.NaN);

/** The sample, once it is sure that it has all measures of its bench: a value that is no time would count as one. */
export function checkSample(sample: ProcessSample, { name, measures }: GateBench): ProcessSample {
  for (const measure of measures) {
    const value = sample[measure];
    if (value === undefined || !(value > 0 && Number.isFinite(value))) {
      throw new Error(`${name}: ${measure} must be a number above 0; a process measured ${value}`);
    }
  }
  return sample;
}
