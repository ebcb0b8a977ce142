import { chanceOfFaster, chanceOfSlower, estimateShift, noiseFloor, processNoise } from '../statistics/block-test.ts';
import { FIRST_LOOK, rejectedByHolm } from '../statistics/families.ts';
import { upperNormalQuantile } from '../statistics/normal.ts';
import { type BenchState, type Block, type Hypothesis, hypothesisOf, logBlocks, type Measure } from './gate-bench.ts';
import { FASTER_ALPHA, MIN_SHIFT, SAME_ALPHA, SCREEN_ALPHA } from './gate-settings.ts';
import { isWithinEffect } from './judge-look.ts';
import type { GateRun } from './run-gate.ts';

export type BenchVerdict = 'slower' | 'same' | 'faster' | 'cannot tell' | 'error';

/** The findings about one measure of one bench. Changes are ratios: 0.25 is a quarter more. */
export interface MeasureReport {
  readonly measure: Measure;
  /** Median over the processes: microseconds an operation, or bytes an object. */
  readonly base: number;
  readonly head: number;
  readonly change: number;
  /** The interval that misses the true change in one of ten cases; `null` where too few blocks give no bound. */
  readonly lower: number | null;
  readonly upper: number | null;
  /** How much two processes of base differed from each other, in nine of ten blocks. */
  readonly noiseFloor: number;
  /** The smallest slowdown that the first stage would suspect in four of five runs; `null` before a first look. */
  readonly detectable: number | null;
}

export interface BenchReport {
  readonly name: string;
  readonly clock: 'cpu' | 'wall';
  readonly verdict: BenchVerdict;
  /** The measures that became worse, for `slower`. */
  readonly slowerBy: readonly Measure[];
  /** Whether the first stage suspected a slowdown that the second did not confirm. */
  readonly unconfirmed: boolean;
  /** The values of the first stage, and of the second. */
  readonly blocks: readonly Block[];
  readonly confirmingBlocks: readonly Block[];
  readonly measures: readonly MeasureReport[];
  readonly error?: string;
}

/** The verdict on each bench of a finished run. */
export function judgeRun({ states, plannedBlocks }: GateRun): readonly BenchReport[] {
  const familySize = states.reduce((sum, { bench }) => sum + bench.measures.length, 0);
  const faster = fasterHypotheses(states, familySize);
  return states.map((state): BenchReport => {
    const { bench, error, confirmed, phase, screened, confirming } = state;
    const shown = phase === 'confirmed' || phase === 'refuted' ? confirming : screened;
    const share = screened.length / plannedBlocks;
    return {
      name: bench.name,
      clock: bench.clock,
      verdict: verdictOf(state, faster),
      slowerBy: confirmed,
      unconfirmed: phase === 'suspect',
      blocks: screened,
      confirmingBlocks: confirming,
      measures:
        shown.length === 0
          ? []
          : bench.measures.map((measure) => reportOf(shown, measure, (SCREEN_ALPHA * share) / familySize)),
      ...(error !== undefined && { error: error.message }),
    };
  });
}

function verdictOf(state: BenchState, faster: ReadonlySet<Hypothesis>): BenchVerdict {
  const { bench, phase, screened, confirming } = state;
  if (phase === 'failed') return 'error';
  if (phase === 'confirmed') return 'slower';
  if (phase === 'suspect') return 'cannot tell';
  const blocks = phase === 'refuted' ? confirming : screened;
  if (isWithinEffect(blocks, bench.clock)) return 'same';
  const worse = bench.measures.some(
    (measure) => measure !== bench.clock && chanceOfSlower(logBlocks(blocks, measure)) < FASTER_ALPHA,
  );
  return faster.has(hypothesisOf(bench, bench.clock)) && !worse ? 'faster' : 'cannot tell';
}

function fasterHypotheses(states: readonly BenchState[], familySize: number): ReadonlySet<Hypothesis> {
  const chances = new Map<Hypothesis, number>();
  for (const { bench, phase, screened } of states) {
    if (phase !== 'screening' || screened.length === 0) continue;
    for (const measure of bench.measures) {
      const blocks = logBlocks(screened, measure);
      const isLarge = estimateShift(blocks, SAME_ALPHA).shift <= -MIN_SHIFT;
      chances.set(hypothesisOf(bench, measure), isLarge ? chanceOfFaster(blocks) : 1);
    }
  }
  return rejectedByHolm(chances, FASTER_ALPHA, familySize);
}

function reportOf(blocks: readonly Block[], measure: Measure, alpha: number): MeasureReport {
  const logs = logBlocks(blocks, measure);
  const { shift, lower, upper } = estimateShift(logs, SAME_ALPHA);
  return {
    measure,
    base: Math.exp(middle(logs.flatMap(({ base }) => base))),
    head: Math.exp(middle(logs.flatMap(({ head }) => head))),
    change: Math.expm1(shift),
    lower: Number.isFinite(lower) ? Math.expm1(lower) : null,
    upper: Number.isFinite(upper) ? Math.expm1(upper) : null,
    noiseFloor: Math.expm1(noiseFloor(logs)),
    detectable:
      blocks.length < FIRST_LOOK ? null : Math.expm1(detectableShift(processNoise(logs), blocks.length, alpha)),
  };
}

/**
 * The smallest shift that the rank test finds in four of five cases at this level, and whose estimate then exceeds the
 * minimum effect. The estimate of many blocks has the variance σ² / (n · 0.764). For normal noise and four values a
 * stratum, 3/π · 4/5 = 0.764 is the efficiency of van Elteren's test. With few blocks it finds less; n - 1 then fits.
 */
export function detectableShift(noise: number, blocks: number, alpha: number): number {
  const error = noise / Math.sqrt((blocks - 1) * 0.764);
  const power = upperNormalQuantile(0.2);
  return Math.max((upperNormalQuantile(Math.min(0.5, alpha)) + power) * error, MIN_SHIFT + power * error);
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}
