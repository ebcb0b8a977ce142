import { collectGarbage } from './collect-garbage.ts';
import type { PreparedContender, Suite } from './suite.ts';
import { type Calibration, calibrate, type Slice, timedSlice } from './timed-slice.ts';

export interface MeasureOptions {
  /** Overrides the suite's own number of rounds. */
  readonly rounds?: number | undefined;
  /** Overrides the suite's own slice. */
  readonly sliceMs?: number | undefined;
  /** Called after each round. */
  readonly onRound?: (round: number, rounds: number) => void;
}

/** The slices of every contender, one for each round, in the order of the rounds. */
export type Measurements = ReadonlyMap<string, readonly Slice[]>;

/** Runs a suite: all contenders in every round, in an order that changes from round to round, so that drift cancels. */
export async function measureSuite(suite: Suite, options: MeasureOptions = {}): Promise<Measurements> {
  const rounds = options.rounds ?? suite.rounds ?? 15;
  const sliceMs = options.sliceMs ?? suite.sliceMs ?? 60;
  const { contenders, teardown } = await suite.prepare();
  try {
    const calibrations = new Map<string, Calibration>();
    for (const contender of contenders) {
      if (contender.kind === 'timed') calibrations.set(contender.name, await calibrate(contender));
    }
    const slices = new Map<string, Slice[]>(contenders.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const contender of inRoundOrder(contenders, round)) {
        collectGarbage();
        slices.get(contender.name)?.push(await slice(contender, calibrations, sliceMs));
      }
      options.onRound?.(round + 1, rounds);
    }
    return slices;
  } finally {
    await teardown();
  }
}

async function slice(
  contender: PreparedContender,
  calibrations: ReadonlyMap<string, Calibration>,
  sliceMs: number,
): Promise<Slice> {
  if (contender.kind === 'sampled') return { ...(await contender.sample()), operations: 1 };
  const calibration = calibrations.get(contender.name) ?? (await calibrate(contender));
  return timedSlice(contender, calibration, sliceMs);
}

/** Forwards on even rounds, backwards on odd ones, and another first contender every second round. */
export function inRoundOrder<Item>(items: readonly Item[], round: number): readonly Item[] {
  const shift = Math.floor(round / 2) % items.length;
  const rotated = [...items.slice(shift), ...items.slice(0, shift)];
  return round % 2 === 0 ? rotated : rotated.reverse();
}
