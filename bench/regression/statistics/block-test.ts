import { median, quantile } from '../../harness/statistics.ts';

/** Logarithms of the process medians of one block: two processes of base, two of head, in the order ABBA or BAAB. */
export interface LogBlock {
  readonly base: readonly [number, number];
  readonly head: readonly [number, number];
}

export interface ShiftEstimate {
  /** Hodges-Lehmann estimate of head minus base. */
  readonly shift: number;
  /** Bounds of the interval, which may be infinite with few blocks. */
  readonly lower: number;
  readonly upper: number;
}

/** The six ways to choose the two processes of head among the four of a block. */
const CHOICES = [
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
  [2, 3],
] as const;

/**
 * The exact chance, where nothing changed, of a statistic at least as large as the one seen. It is the stratified
 * rank-sum test of van Elteren with the blocks as strata. Within a block each of the six ways to call two of the four
 * processes "head" is then equally likely. Six blocks can reach 1 / 46,656, a signed-rank test of them only 1 / 64.
 *
 * Source: Ph. van Elteren, "On the combination of independent two-sample tests of Wilcoxon", Bulletin of the
 * International Statistical Institute 37 (1960). Ties count by mid-ranks.
 */
export function chanceOfSlower(blocks: readonly LogBlock[]): number {
  return upperTail(blocks.map(ranksOf));
}

/** The same chance for "head is faster". */
export function chanceOfFaster(blocks: readonly LogBlock[]): number {
  return upperTail(blocks.map((block) => ranksOf(block).map((rank) => -rank)));
}

/**
 * The estimate that belongs to this test is the median of all differences of head and base within blocks. Their order
 * statistics bound the interval exactly.
 *
 * Source: J. L. Hodges and E. L. Lehmann, "Estimates of location based on rank tests", Annals of Mathematical
 * Statistics 34 (1963).
 *
 * @param outside - The chance that the true shift lies outside, half on either side.
 */
export function estimateShift(blocks: readonly LogBlock[], outside: number): ShiftEstimate {
  const differences = blocks
    .flatMap(({ base, head }) => head.flatMap((own) => base.map((other) => own - other)))
    .sort((left, right) => left - right);
  const cut = largestCut(blocks.length, outside / 2);
  return {
    shift: median(differences),
    lower: differences[cut - 1] ?? Number.NEGATIVE_INFINITY,
    upper: differences[differences.length - cut] ?? Number.POSITIVE_INFINITY,
  };
}

/**
 * Standard deviation of one process, from pairs of the same build in the same block. Nothing can have changed between
 * such a pair, so this is noise alone.
 */
export function processNoise(blocks: readonly LogBlock[]): number {
  const squares = blocks.flatMap(({ base, head }) => [(base[0] - base[1]) ** 2, (head[0] - head[1]) ** 2]);
  // The difference of two has twice the variance of one.
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / (2 * squares.length));
}

/** How much two processes of base differed in nine of ten blocks: the noise floor of a single comparison. */
export function noiseFloor(blocks: readonly LogBlock[]): number {
  return quantile(
    blocks.map(({ base: [first, second] }) => Math.abs(first - second)),
    0.9,
  );
}

/** Twice the mid-ranks of the four processes, base first, so that they are whole numbers. */
function ranksOf({ base, head }: LogBlock): readonly number[] {
  const values = [...base, ...head];
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return 2 * below + equal + 1;
  });
}

/** P(sum of head's scores ≥ the sum seen), by convolution over the blocks. */
function upperTail(scores: readonly (readonly number[])[]): number {
  let seen = 0;
  let chances = new Map([[0, 1]]);
  for (const block of scores) {
    const at = (index: number) => block[index] ?? 0;
    seen += at(2) + at(3);
    const next = new Map<number, number>();
    for (const [sum, chance] of chances) {
      for (const [first, second] of CHOICES) {
        const key = sum + at(first) + at(second);
        next.set(key, (next.get(key) ?? 0) + chance / CHOICES.length);
      }
    }
    chances = next;
  }
  let tail = 0;
  for (const [sum, chance] of chances) if (sum >= seen) tail += chance;
  return Math.min(1, tail);
}

/** The largest k such that fewer than k of the differences are negative with at most this chance; 0 for none. */
function largestCut(blockCount: number, chance: number): number {
  // Without ties, a block adds 0 to 4 pairs in which head is the larger one.
  const PAIRS = [1, 1, 2, 1, 1];
  let chances = [1];
  for (let block = 0; block < blockCount; block += 1) {
    const next = new Array<number>(chances.length + PAIRS.length - 1).fill(0);
    for (const [sum, of] of chances.entries()) {
      for (const [pairs, ways] of PAIRS.entries()) next[sum + pairs] = (next[sum + pairs] ?? 0) + (of * ways) / 6;
    }
    chances = next;
  }
  let cut = 0;
  let total = 0;
  for (const of of chances) {
    total += of;
    if (total > chance) break;
    cut += 1;
  }
  return cut;
}
