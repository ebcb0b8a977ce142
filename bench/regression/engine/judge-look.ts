import { chanceOfSlower, estimateShift } from '../statistics/block-test.ts';
import { rejectedByHolm, spentAtLook } from '../statistics/families.ts';
import { type BenchState, type Block, type Hypothesis, hypothesisOf, logBlocks, type Measure } from './gate-bench.ts';
import { CONFIRM_ALPHA, MIN_BLOCKS_FOR_SAME, MIN_SHIFT, SAME_ALPHA, SCREEN_ALPHA } from './gate-settings.ts';

/** A slowdown that is at least this likely by chance does not keep a bench from being settled. */
const LEANING = 0.1;

/**
 * A look at the first stage: benches become suspects, or settle.
 *
 * @param from - Share of the planned blocks at the look before.
 * @param to - Share of the planned blocks now.
 */
export function judgeScreen(states: readonly BenchState[], from: number, to: number): void {
  const familySize = states.reduce((sum, { bench }) => sum + bench.measures.length, 0);
  const open = states.filter(({ phase }) => phase === 'screening');
  const slower = slowerMeasures(
    open,
    ({ screened }) => screened,
    ({ bench }) => bench.measures,
    {
      alpha: spentAtLook(SCREEN_ALPHA, from, to),
      familySize,
    },
  );
  for (const state of open) {
    state.suspected = slower.get(state) ?? [];
    if (state.suspected.length > 0) state.phase = 'suspect';
    else if (isSettled(state)) state.phase = 'settled';
  }
}

/** A look at the second stage. Only its own blocks count, so what made a bench a suspect proves nothing here. */
export function judgeConfirmation(suspects: readonly BenchState[], from: number, to: number): void {
  const familySize = suspects.reduce((sum, { suspected }) => sum + suspected.length, 0);
  const open = suspects.filter(({ phase }) => phase === 'suspect');
  const slower = slowerMeasures(
    open,
    ({ confirming }) => confirming,
    ({ suspected }) => suspected,
    {
      alpha: spentAtLook(CONFIRM_ALPHA, from, to),
      familySize,
    },
  );
  for (const state of open) {
    state.confirmed = slower.get(state) ?? [];
    if (state.confirmed.length > 0) state.phase = 'confirmed';
    else if (state.suspected.every((measure) => isWithinEffect(state.confirming, measure))) state.phase = 'refuted';
  }
}

/** Whether the change is surely smaller than the minimum effect. */
export function isWithinEffect(blocks: readonly Block[], measure: Measure): boolean {
  if (blocks.length < MIN_BLOCKS_FOR_SAME) return false;
  const { lower, upper } = estimateShift(logBlocks(blocks, measure), SAME_ALPHA);
  return lower > -MIN_SHIFT && upper < MIN_SHIFT;
}

/** The measures of each bench that Holm's procedure finds slower, by at least the minimum effect. */
function slowerMeasures(
  states: readonly BenchState[],
  blocksOf: (state: BenchState) => readonly Block[],
  measuresOf: (state: BenchState) => readonly Measure[],
  { alpha, familySize }: { readonly alpha: number; readonly familySize: number },
): ReadonlyMap<BenchState, readonly Measure[]> {
  const chances = new Map<Hypothesis, number>();
  for (const state of states) {
    for (const measure of measuresOf(state)) {
      chances.set(hypothesisOf(state.bench, measure), chanceOfSlower(logBlocks(blocksOf(state), measure)));
    }
  }
  const rejected = rejectedByHolm(chances, alpha, familySize);
  return new Map(
    states.map((state) => [
      state,
      measuresOf(state).filter(
        (measure) =>
          rejected.has(hypothesisOf(state.bench, measure)) &&
          estimateShift(logBlocks(blocksOf(state), measure), SAME_ALPHA).shift >= MIN_SHIFT,
      ),
    ]),
  );
}

/** The deciding clock is surely within the minimum effect, and no other measure leans towards slower. */
function isSettled({ bench, screened }: BenchState): boolean {
  if (!isWithinEffect(screened, bench.clock)) return false;
  return bench.measures.every((measure) => {
    const blocks = logBlocks(screened, measure);
    return chanceOfSlower(blocks) > LEANING || estimateShift(blocks, SAME_ALPHA).shift < MIN_SHIFT;
  });
}
