interface Snapshot {
  readonly atMs: number;
  readonly total: number;
}

/** The rate of a growing total over the last window, from a few snapshots of it. */
export class RateWindow {
  #snapshots: Snapshot[];

  constructor(startedAtMs: number) {
    this.#snapshots = [{ atMs: startedAtMs, total: 0 }];
  }

  /** Remembers the total; forgets what the window no longer needs. */
  advance(total: number, nowMs: number, windowMs: number): void {
    this.#snapshots.push({ atMs: nowMs, total });
    while ((this.#snapshots[1]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs - windowMs) this.#snapshots.shift();
  }

  /** Growth per second since the start of the window. */
  perSecond(total: number, nowMs: number): number {
    const oldest = this.#snapshots[0];
    const elapsedMs = nowMs - (oldest?.atMs ?? nowMs);
    return elapsedMs > 0 ? ((total - (oldest?.total ?? 0)) * 1000) / elapsedMs : 0;
  }

  /** Growth since the latest snapshot from that time or before. */
  growthSince(total: number, atMs: number): number {
    return total - (this.#snapshots.findLast((snapshot) => snapshot.atMs <= atMs)?.total ?? 0);
  }

  /** The total was reset to zero. */
  clear(): void {
    this.#snapshots = this.#snapshots.map(({ atMs }) => ({ atMs, total: 0 }));
  }
}
