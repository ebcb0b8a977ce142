/** Requests sent within such a time may overtake each other on their way. */
const REORDER_MS = 50;
/** What is sent at once, such as many large images, takes longer to arrive. */
const BUNCH_MS = 1_000;
/** How much more than its rate in that time is a large bunch, and how many requests at least. */
const BUNCH_FACTOR = 1.2;
const BUNCH_REQUESTS = 8;

/** Units that were taken one right after the other, by the sum of all that were ever taken. */
export interface Bunch {
  readonly first: number;
  last: number;
  /** More than the rate allows for long: their order on the way says little. */
  large: boolean;
}

/** What may have arrived in another order than it was taken in. */
export interface TakenOrder {
  /** Units taken so shortly before that they may arrive after it. */
  readonly close: number;
  readonly bunch: Bunch;
}

/** Tells how far the order in which requests arrive may differ from the one in which they were sent. */
export class ReorderWindow {
  #close = 0;
  #recent = 0;
  #atMs = 0;
  #bunch: Bunch = { first: 0, last: 0, large: false };

  /** Counts units that are taken now; `taken` is the sum with them. */
  add(units: number, taken: number, perMs: number, nowMs: number): TakenOrder {
    const gapMs = nowMs - this.#atMs;
    const close = this.#close * Math.exp(-gapMs / REORDER_MS);
    const usual = Math.max(perMs * BUNCH_MS * BUNCH_FACTOR, units * BUNCH_REQUESTS);
    this.#close = close + units;
    this.#recent = this.#recent * Math.exp(-gapMs / BUNCH_MS) + units;
    this.#atMs = nowMs;
    const isLarge = perMs > 0 && this.#recent > usual;
    const isOver = gapMs > REORDER_MS || taken - this.#bunch.first > usual;
    if (!isLarge && isOver) this.#bunch = { first: taken - units, last: taken, large: false };
    const bunch = this.#bunch;
    bunch.last = taken;
    if (isLarge) bunch.large = true;
    return { close, bunch };
  }
}

/**
 * What of a difference between two levels can't come from another order of arrival; `taken` is the sum after the units.
 */
export function certainDifference(
  difference: number,
  { close, bunch }: TakenOrder,
  units: number,
  taken: number,
): number {
  if (difference > 0) {
    const before = bunch.large ? Math.max(close, taken - units - bunch.first) : close;
    return Math.max(0, difference - before);
  }
  return bunch.large ? Math.min(0, difference + bunch.last - taken) : difference;
}
