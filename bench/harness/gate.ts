import { type RatioEstimate, ratioOfMedians } from './statistics.ts';

/** A limit of a contender against another. It fails only when the whole interval of the ratio lies above it. */
export interface Gate {
  /** The other contender. @defaultValue the suite's baseline */
  readonly versus?: string;
  readonly maxRatio?: number;
  readonly maxCpuRatio?: number;
}

/** A bare number is `maxRatio` against the baseline. */
export type Gates = number | Gate | readonly Gate[];

/**
 * `passed`: at or under the gate. `unproven`: over it, but not by more than noise explains. `failed`: surely over it.
 */
export type Verdict = 'passed' | 'unproven' | 'failed';

export interface GateReport {
  readonly measure: 'time' | 'cpu';
  readonly versus: string;
  readonly maxRatio: number;
  readonly ratio: RatioEstimate;
  readonly verdict: Verdict;
}

/** The values of a contender, round by round; `cpu` is empty when it measures none. */
export interface RoundValues {
  readonly time: readonly number[];
  readonly cpu: readonly number[];
}

export const listGates = (gates: Gates | undefined): readonly Gate[] => {
  if (gates === undefined) return [];
  if (typeof gates === 'number') return [{ maxRatio: gates }];
  return 'length' in gates ? gates : [gates];
};

/** Judges one contender's gates. A gate on CPU time that was not measured fails the bench: it would gate nothing. */
export function judgeGates(
  name: string,
  gates: Gates | undefined,
  baseline: string,
  valuesOf: (contender: string) => RoundValues,
): readonly GateReport[] {
  const mine = valuesOf(name);
  return listGates(gates).flatMap(({ versus = baseline, maxRatio, maxCpuRatio }) => {
    const other = valuesOf(versus);
    const judge = (measure: GateReport['measure'], max: number): GateReport => {
      if (mine[measure].length === 0 || other[measure].length === 0) {
        throw new Error(`${name}: there is a gate on ${measure}, which was not measured`);
      }
      const ratio = ratioOfMedians(mine[measure], other[measure]);
      return { measure, versus, maxRatio: max, ratio, verdict: verdictOf(ratio, max) };
    };
    return [
      ...(maxRatio === undefined ? [] : [judge('time', maxRatio)]),
      ...(maxCpuRatio === undefined ? [] : [judge('cpu', maxCpuRatio)]),
    ];
  });
}

function verdictOf({ value, lower }: RatioEstimate, maxRatio: number): Verdict {
  if (lower > maxRatio) return 'failed';
  return value > maxRatio ? 'unproven' : 'passed';
}
