import { hashRatio } from './virtual-time.ts';

/** Draws of one scenario: the same seed draws the same. */
export class Draw {
  readonly #seed: number;
  #count = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  ratio(): number {
    this.#count += 1;
    return hashRatio(this.#seed, this.#count);
  }

  /** A whole number of the range, both ends included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.ratio() * (max - min + 1));
  }

  bool(probability = 0.5): boolean {
    return this.ratio() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.ratio() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    return items
      .map((item) => ({ item, order: this.ratio() }))
      .sort((a, b) => a.order - b.order)
      .map(({ item }) => item);
  }
}
