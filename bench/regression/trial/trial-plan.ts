import { seededRandom } from '../../harness/seeded-random.ts';
import type { BenchVerdict } from '../engine/verdict.ts';

/** The kinds of run: they leave head as it is, or slow one bench of it by this share. */
export const TRIALS = [
  { kind: 'nothing changed', ratio: 0, runs: 40 },
  { kind: '25 % slower', ratio: 0.25, runs: 20 },
  { kind: '15 % slower', ratio: 0.15, runs: 20 },
] as const;

export type TrialKind = (typeof TRIALS)[number]['kind'];

export interface TrialRun {
  readonly kind: TrialKind;
  readonly index: number;
  readonly seed: number;
  readonly slowdown?: { readonly bench: string; readonly ratio: number };
}

/** One line of the trial's file. */
export interface TrialRecord {
  readonly kind: TrialKind;
  readonly index: number;
  readonly seed: number;
  /** The bench that was slowed; absent where nothing changed. */
  readonly slowed?: string;
  /** Benches that the gate called slower. */
  readonly slower: readonly string[];
  readonly verdicts: Readonly<Record<string, BenchVerdict>>;
  readonly rounds: number;
  /** CPU and wall time of each process of the first stage, four a block: base twice, then head twice. */
  readonly values: Readonly<Record<string, { readonly cpu: readonly number[]; readonly wall: readonly number[] }>>;
  readonly seconds: number;
  /** Load average over one minute at the end, which tells a quiet machine from a busy one. */
  readonly load: number;
}

/** All runs, in an order that mixes the kinds, so that a trial that is stopped early has some of each. */
export function plannedRuns(benches: readonly string[]): readonly TrialRun[] {
  const runs = TRIALS.flatMap(({ kind, ratio, runs: count }, nth) =>
    Array.from({ length: count }, (_, index): TrialRun & { readonly place: number } => {
      const seed = 1_000 * (nth + 1) + index;
      const bench = benches[Math.floor(seededRandom(seed)() * benches.length)];
      const slows = ratio > 0 && bench !== undefined;
      return { kind, index, seed, place: (index + 0.5) / count, ...(slows && { slowdown: { bench, ratio } }) };
    }),
  );
  return runs.sort((left, right) => left.place - right.place).map(({ place: _, ...run }) => run);
}

/** The runs that the file does not hold yet. */
export function remainingRuns(planned: readonly TrialRun[], done: readonly TrialRecord[]): readonly TrialRun[] {
  const names = new Set(done.map(({ kind, index }) => `${kind} ${index}`));
  return planned.filter(({ kind, index }) => !names.has(`${kind} ${index}`));
}

export interface TrialScore {
  readonly kind: TrialKind;
  readonly done: number;
  readonly planned: number;
  /** Runs that named a bench which nobody slowed. */
  readonly alarms: number;
  /** Runs that named the slowed bench, and no other. */
  readonly caught: number;
  /** Runs that ended in an error, or took longer than they may. */
  readonly broken: number;
}

/** The longest that a run may take, with the preparation. */
export const MAX_SECONDS = 120;

export function scoreOf(records: readonly TrialRecord[]): readonly TrialScore[] {
  return TRIALS.map(({ kind, runs }): TrialScore => {
    const mine = records.filter((record) => record.kind === kind);
    const count = (holds: (record: TrialRecord) => boolean) => mine.filter(holds).length;
    return {
      kind,
      done: mine.length,
      planned: runs,
      alarms: count(({ slower, slowed }) => slower.some((name) => name !== slowed)),
      caught: count(({ slower, slowed }) => slowed !== undefined && slower.length === 1 && slower[0] === slowed),
      broken: count(
        ({ verdicts, seconds }) => Object.values(verdicts).includes('error') || Math.round(seconds) > MAX_SECONDS,
      ),
    };
  });
}

/** The score as lines of text, with what the project asks for. */
export function scoreText(records: readonly TrialRecord[]): string {
  const asked = ['at most 1 alarm of 40', 'at least 19 of 20 caught', 'at least 16 of 20 caught'];
  return scoreOf(records)
    .map(({ kind, done, planned, alarms, caught, broken }, nth) => {
      const found =
        kind === 'nothing changed' ? `${alarms} alarms` : `${caught} caught, ${alarms} blamed another bench`;
      return `${kind}: ${done} of ${planned} runs, ${found}, ${broken} broken or late (asked: ${asked[nth]})`;
    })
    .join('\n');
}
