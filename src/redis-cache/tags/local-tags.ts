import type { Clock } from '../../internal/clock.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import type { TagStamps } from '../entries/cache-entry.ts';
import { EVERY_ENTRY, newTagVersion } from '../redis/redis-names.ts';
import { type ReadTicket, RemovalGuard } from './removal-guard.ts';

/** What this process knows of an entry's tags. */
export type TagVerdict =
  /** Every version is the current one as far as it may be trusted, and until when. */
  | { readonly kind: 'valid'; readonly untilMs: number }
  /** A tag was invalidated. */
  | { readonly kind: 'stale' }
  /** Redis has to be asked about these. */
  | { readonly kind: 'unknown'; readonly tags: readonly string[] };

export interface LocalTagsOptions {
  readonly clock: Clock;
  /** How long a version that Redis confirmed is believed; `Infinity` where there is no Redis. */
  readonly trustMs: number;
  readonly maxTags: number;
}

interface KnownVersion {
  readonly version: string;
  readonly verifiedAtMs: number;
  /** Until when Redis keeps the tag at least. */
  readonly keptUntilMs: number;
}

export const STALE: TagVerdict = { kind: 'stale' };

/**
 * The tag versions that this process knows. Without Redis it is the truth: a version that is missing or different means
 * that the entry is stale. With Redis it is a short memory of the truth.
 */
export class LocalTags {
  readonly #known: BoundedMap<string, KnownVersion>;
  /** Drops since a stamp was asked for; unlike the other guard's, never of all tags for mere distrust. */
  readonly drops = new RemovalGuard();
  readonly #guard = new RemovalGuard();
  readonly #clock: Clock;
  #trustMs: number;
  #distrustedAtMs = Number.NEGATIVE_INFINITY;
  #epoch = 0;

  constructor({ clock, trustMs, maxTags }: LocalTagsOptions) {
    this.#clock = clock;
    this.#trustMs = trustMs;
    this.#known = new BoundedMap(maxTags);
  }

  /** Changes whenever something that was valid may no longer be. */
  get epoch(): number {
    return this.#epoch;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Makes what is known here the truth: there is no Redis after all. */
  becomeTruth(): void {
    this.#trustMs = Number.POSITIVE_INFINITY;
  }

  /** Forgets tags whose invalidation began, ended, or was heard of. */
  drop(tags: Iterable<string>): void {
    for (const tag of tags) {
      this.#known.delete(tag);
      this.#guard.removed(tag);
      this.drops.removed(tag);
    }
    this.#epoch += 1;
  }

  /** Stops believing every version until Redis confirms it again: messages may have been lost. */
  distrust(): void {
    this.#distrustedAtMs = this.#clock.now();
    this.#guard.removedAll();
    this.#epoch += 1;
  }

  /** Judges an entry by what is known. `patienceMs` replaces the usual trust while Redis can't be asked. */
  judge(stamps: TagStamps, nowMs: number, patienceMs?: number): TagVerdict {
    let untilMs = Number.POSITIVE_INFINITY;
    let unknown: string[] | undefined;
    for (const tag of Object.keys(stamps)) {
      const known = this.#known.peek(tag);
      const end = this.#trustedUntil(known, patienceMs);
      if (known?.version === stamps[tag] && nowMs < end) {
        untilMs = Math.min(untilMs, end);
      } else {
        if (this.#trustMs === Number.POSITIVE_INFINITY) return STALE;
        unknown ??= [];
        unknown.push(tag);
      }
    }
    return unknown === undefined ? { kind: 'valid', untilMs } : { kind: 'unknown', tags: unknown };
  }

  /**
   * The versions of these tags that may be put on a new entry that Redis keeps until then; undefined if one is not
   * known.
   */
  trusted(tags: readonly string[], nowMs: number, keptUntilMs: number): TagStamps | undefined {
    const stamps: [string, string][] = [];
    for (const tag of tags) {
      const known = this.#known.peek(tag);
      if (known === undefined || known.keptUntilMs < keptUntilMs || nowMs >= this.#trustedUntil(known)) {
        return undefined;
      }
      stamps.push([tag, known.version]);
    }
    return Object.fromEntries(stamps);
  }

  /** Versions for an entry of this process alone, made where none is known. */
  own(tags: readonly string[], nowMs: number): TagStamps {
    const stamps: [string, string][] = [];
    for (const tag of [...tags, EVERY_ENTRY]) {
      let known = this.#known.get(tag);
      if (known === undefined || nowMs >= this.#trustedUntil(known)) {
        known = { version: newTagVersion(), verifiedAtMs: nowMs, keptUntilMs: 0 };
        this.#known.set(tag, known);
      }
      stamps.push([tag, known.version]);
    }
    return Object.fromEntries(stamps);
  }

  /** Starts a question to Redis. Pass the ticket on with its answer, and `end` on every path. */
  begin(): ReadTicket {
    return this.#guard.begin();
  }

  end(): void {
    this.#guard.end();
  }

  /** The same stamps, save tags dropped since `ticket` of `drops`: these get a version that no tag ever has. */
  since(ticket: ReadTicket, stamps: TagStamps): TagStamps {
    const dropped = Object.keys(stamps).filter((tag) => !this.drops.isClean(ticket, tag));
    if (dropped.length === 0) return stamps;
    return { ...stamps, ...Object.fromEntries(dropped.map((tag) => [tag, newTagVersion()])) };
  }

  /** Takes in what Redis said at `askedAtMs`, unless the tag was dropped since. */
  learn(ticket: ReadTicket, tag: string, version: string | undefined, askedAtMs: number, keptUntilMs = 0): void {
    if (!this.#guard.isClean(ticket, tag)) return;
    const before = this.#known.peek(tag);
    if (before !== undefined && before.version !== version) this.#epoch += 1;
    if (version === undefined) {
      this.#known.delete(tag);
      return;
    }
    const kept = before?.version === version ? Math.max(before.keptUntilMs, keptUntilMs) : keptUntilMs;
    this.#known.set(tag, { version, verifiedAtMs: askedAtMs, keptUntilMs: kept });
  }

  #trustedUntil(known: KnownVersion | undefined, patienceMs = this.#trustMs): number {
    if (known === undefined) return Number.NEGATIVE_INFINITY;
    if (this.#trustMs === Number.POSITIVE_INFINITY) return this.#trustMs;
    const usual = patienceMs === this.#trustMs;
    if (usual && known.verifiedAtMs <= this.#distrustedAtMs) return Number.NEGATIVE_INFINITY;
    return known.verifiedAtMs + patienceMs;
  }
}
