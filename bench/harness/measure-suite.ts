import { type ContenderOptions, measureContender } from './measure-contender.ts';
import type { Suite } from './suite.ts';
import type { Slice } from './timed-slice.ts';

/** Measures one contender once. */
export type Measure = (suite: Suite, contender: string, options: ContenderOptions) => Promise<Slice>;

export interface MeasureOptions extends ContenderOptions {
  /** Overrides the suite's own number of rounds. */
  readonly rounds?: number | undefined;
  /** Called after each round. */
  readonly onRound?: (round: number, rounds: number) => void;
  /** @defaultValue in this process; `perf:benchmark` gives one that starts a process for each measurement */
  readonly measure?: Measure;
}

/** The slices of every contender, one for each round, in the order of the rounds. */
export type Measurements = ReadonlyMap<string, readonly Slice[]>;

export const DEFAULT_ROUNDS = 15;

/** Runs a suite: all contenders in every round, in an order that changes from round to round, so that drift cancels. */
export async function measureSuite(suite: Suite, options: MeasureOptions = {}): Promise<Measurements> {
  const { measure = measureContender, onRound, rounds = suite.rounds ?? DEFAULT_ROUNDS, ...rest } = options;
  const slices = new Map<string, Slice[]>(suite.contenderNames.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of inRoundOrder(suite.contenderNames, round)) {
      slices.get(name)?.push(await measure(suite, name, rest));
    }
    onRound?.(round + 1, rounds);
  }
  return slices;
}

/** Forwards on even rounds, backwards on odd ones, and another first contender every second round. */
export function inRoundOrder<Item>(items: readonly Item[], round: number): readonly Item[] {
  const shift = Math.floor(round / 2) % items.length;
  const rotated = [...items.slice(shift), ...items.slice(0, shift)];
  return round % 2 === 0 ? rotated : rotated.reverse();
}
