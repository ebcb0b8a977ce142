/** The text of one answer as it arrives. Any number of readers follow it from its start. */
export class DeltaLog {
  readonly #deltas: string[] = [];
  readonly #readers = new Set<() => void>();
  #text = '';

  /** Whether a part of the answer was delivered. No other answer may take its place then. */
  get hasBegun(): boolean {
    return this.#deltas.length > 0;
  }

  /** The text so far. */
  get text(): string {
    return this.#text;
  }

  push(delta: string): void {
    if (delta === '') return;
    this.#deltas.push(delta);
    this.#text += delta;
    for (const wake of this.#readers) wake();
  }

  /** The delta at that position; undefined where it has not arrived. */
  at(index: number): string | undefined {
    return this.#deltas[index];
  }

  /** Calls `wake` for each further delta. The returned function ends that. */
  follow(wake: () => void): () => void {
    this.#readers.add(wake);
    return () => this.#readers.delete(wake);
  }
}
