import type { Clock } from '../../internal/clock.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import type { TagStamps } from '../entries/cache-entry.ts';
import { EVERY_ENTRY, newTagVersion } from '../redis/redis-names.ts';
import { type ReadTicket, RemovalGuard } from './removal-guard.ts';

/** Whether the tags of an entry are current, as far as this process knows. */
export type TagVerdict =
  /** Every version is current, and is trusted until then. */
  | { readonly kind: 'valid'; readonly untilMs: number }
  /** A tag was invalidated. */
  | { readonly kind: 'stale' }
  /** Redis must be asked about these. */
  | { readonly kind: 'unknown'; readonly tags: readonly string[] };

export interface LocalTagsOptions {
  readonly clock: Clock;
  /** Milliseconds for which a version that Redis confirmed is trusted; `Infinity` without Redis. */
  readonly trustMs: number;
}

interface KnownVersion {
  readonly version: string;
  readonly verifiedAtMs: number;
  /** Redis keeps the tag at least until then. */
  readonly keptUntilMs: number;
}

/** Most tag versions that a process remembers, of about 200 bytes each. */
const MAX_TAGS = 50_000;

export const STALE: TagVerdict = { kind: 'stale' };

/**
 * The tag versions that this process knows. Without Redis they are authoritative: an entry with another version is
 * stale. With Redis they are a short-lived copy.
 */
export class LocalTags {
  /** Changes whenever a valid entry may have become invalid. A field, because every hit in memory reads it. */
  epoch = 0;
  readonly #known: BoundedMap<string, KnownVersion>;
  /** Drops since a question to Redis began. Its answer is learned by the ticket of that question. */
  readonly guard = new RemovalGuard();
  /** Drops since a stamp began to be read. Unlike in the other guard, `distrust` does not drop every tag. */
  readonly drops = new RemovalGuard();
  readonly #clock: Clock;
  #trustMs: number;
  #distrustedAtMs = Number.NEGATIVE_INFINITY;

  constructor({ clock, trustMs }: LocalTagsOptions) {
    this.#clock = clock;
    this.#trustMs = trustMs;
    this.#known = new BoundedMap(MAX_TAGS);
  }

  get size(): number {
    return this.#known.size;
  }

  /** Trusts the known versions for ever, because there is no Redis after all. */
  becomeTruth(): void {
    this.#trustMs = Number.POSITIVE_INFINITY;
  }

  /** Forgets tags whose invalidation began, ended, or was announced by another process. */
  drop(tags: Iterable<string>): void {
    for (const tag of tags) {
      this.#known.delete(tag);
      this.guard.removed(tag);
      this.drops.removed(tag);
    }
    this.epoch += 1;
  }

  /** Trusts no version until Redis confirms it again: messages may have been lost. */
  distrust(): void {
    this.#distrustedAtMs = this.#clock.now();
    this.guard.removedAll();
    this.epoch += 1;
  }

  /** Judges the tags of an entry. `trustMs` replaces the usual trust while Redis can't be asked. */
  judge(stamps: TagStamps, nowMs: number, trustMs?: number): TagVerdict {
    let untilMs = Number.POSITIVE_INFINITY;
    let unknown: string[] | undefined;
    for (const tag of Object.keys(stamps)) {
      const known = this.#known.peek(tag);
      const end = this.#trustedUntil(known, trustMs);
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

  /** The versions of these tags for a new entry that Redis keeps until then. Undefined where one is unknown. */
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

  /** Versions for an entry of this process alone. An unknown one is created. */
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

  /** The stamps. A tag that was dropped since `ticket` of `drops` gets a version that no tag ever has. */
  since(ticket: ReadTicket, stamps: TagStamps): TagStamps {
    const dropped = Object.keys(stamps).filter((tag) => !this.drops.isClean(ticket, tag));
    if (dropped.length === 0) return stamps;
    return { ...stamps, ...Object.fromEntries(dropped.map((tag) => [tag, newTagVersion()])) };
  }

  /** Learns the version that Redis gave at `askedAtMs`, unless the tag was dropped since. */
  learn(ticket: ReadTicket, tag: string, version: string | undefined, askedAtMs: number, keptUntilMs = 0): void {
    if (!this.guard.isClean(ticket, tag)) return;
    const before = this.#known.peek(tag);
    if (before !== undefined && before.version !== version) this.epoch += 1;
    if (version === undefined) {
      this.#known.delete(tag);
      return;
    }
    const kept = before?.version === version ? Math.max(before.keptUntilMs, keptUntilMs) : keptUntilMs;
    this.#known.set(tag, { version, verifiedAtMs: askedAtMs, keptUntilMs: kept });
  }

  #trustedUntil(known: KnownVersion | undefined, trustMs = this.#trustMs): number {
    if (known === undefined) return Number.NEGATIVE_INFINITY;
    if (this.#trustMs === Number.POSITIVE_INFINITY) return this.#trustMs;
    if (trustMs === this.#trustMs && known.verifiedAtMs <= this.#distrustedAtMs) return Number.NEGATIVE_INFINITY;
    return known.verifiedAtMs + trustMs;
  }
}
