/** The moment at which a read began, from `RemovalGuard.begin`. */
export type ReadTicket = number;

const MAX_NAMES = 100_000;

/**
 * Knows whether a name was removed since a read of it began, so that the late result of the read is not stored again.
 * Bounded: beyond the limit, every name counts as removed.
 */
export class RemovalGuard {
  readonly #removedAt = new Map<string, number>();
  #sequence = 0;
  #floor = 0;
  #reads = 0;

  begin(): ReadTicket {
    this.#reads += 1;
    return this.#sequence;
  }

  /** Ends a read; call it once per `begin`. */
  end(): void {
    this.#reads -= 1;
    if (this.#reads === 0) this.#removedAt.clear();
  }

  removed(name: string): void {
    if (this.#reads === 0) return;
    this.#sequence += 1;
    this.#removedAt.set(name, this.#sequence);
    if (this.#removedAt.size > MAX_NAMES) this.removedAll();
  }

  removedAll(): void {
    this.#sequence += 1;
    this.#floor = this.#sequence;
    this.#removedAt.clear();
  }

  isClean(ticket: ReadTicket, name: string): boolean {
    return ticket >= this.#floor && (this.#removedAt.get(name) ?? 0) <= ticket;
  }
}
