import { ValueSketch } from './value-sketch.ts';

interface Slot {
  readonly startedAtMs: number;
  readonly sketch: ValueSketch;
}

/** A sketch of the values of the last window: slots of a fifth of it, of which the oldest is dropped whole. */
export class SlidingSketch {
  #slots: Slot[];
  /** The sketch that takes new values. */
  current: ValueSketch;

  constructor(nowMs: number) {
    this.current = new ValueSketch();
    this.#slots = [{ startedAtMs: nowMs, sketch: this.current }];
  }

  /** Starts a new slot, and drops those that began before the window. */
  advance(nowMs: number, windowMs: number): void {
    this.#slots = this.#slots.filter(({ startedAtMs }) => startedAtMs > nowMs - windowMs);
    this.#startSlot(nowMs);
  }

  read(): ValueSketch {
    const whole = new ValueSketch();
    for (const { sketch } of this.#slots) whole.merge(sketch);
    return whole;
  }

  /** When the oldest slot that still counts began. */
  get startedAtMs(): number {
    return this.#slots[0]?.startedAtMs ?? 0;
  }

  clear(): void {
    const { startedAtMs } = this;
    this.#slots = [];
    this.#startSlot(startedAtMs);
  }

  #startSlot(nowMs: number): void {
    this.current = new ValueSketch();
    this.#slots.push({ startedAtMs: nowMs, sketch: this.current });
  }
}
