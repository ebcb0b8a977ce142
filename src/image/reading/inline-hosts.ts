import type { Clock } from '../../internal/clock.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import {
  checkOptions,
  clockOption,
  integer,
  milliseconds,
  type OptionChecks,
} from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';

export interface InlineHostsOptions {
  /** Milliseconds after which a host is tried again, at least 1. @defaultValue 3_600_000 (an hour) */
  readonly rememberMs?: number | undefined;
  /** Most hosts remembered, at least 1; the oldest one is evicted. @defaultValue 1_000 */
  readonly maxHosts?: number | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

export const INLINE_HOSTS_SPEC = {
  rememberMs: withDefault(milliseconds(), 3_600_000),
  maxHosts: withDefault(integer({ min: 1 }), 1_000),
  clock: clockOption,
} satisfies OptionChecks<InlineHostsOptions>;

/**
 * Remembers hosts from which the API could not download, so that the next image of such a host is sent inline at once.
 *
 * @example
 * ```ts
 * import { InlineHosts } from '@describe-it/sdk/image';
 *
 * const hosts = new InlineHosts();
 * hosts.add('https://intranet.example.com/cat.jpg');
 * hosts.has('https://intranet.example.com/dog.jpg'); // true
 * ```
 */
export class InlineHosts {
  readonly #clock: Clock;
  readonly #rememberMs: number;
  readonly #untilMs: BoundedMap<string, number>;

  /** @throws `DESCRIBE_CONFIG_INVALID` for a wrong option. */
  constructor(options: InlineHostsOptions = {}) {
    const { clock, rememberMs, maxHosts } = checkOptions('InlineHosts', options, INLINE_HOSTS_SPEC);
    this.#clock = clock;
    this.#rememberMs = rememberMs;
    this.#untilMs = new BoundedMap(maxHosts);
  }

  /** Hosts remembered. */
  get size(): number {
    return this.#untilMs.size;
  }

  /** Tells whether images of this URL's host are sent inline. */
  has(url: string | URL): boolean {
    if (this.#untilMs.size === 0) return false;
    const { host } = new URL(url);
    const untilMs = this.#untilMs.peek(host);
    if (untilMs === undefined) return false;
    if (this.#clock.now() < untilMs) return true;
    this.#untilMs.delete(host);
    return false;
  }

  /** Forgets this URL's host: the API can download from it. */
  delete(url: string | URL): void {
    this.#untilMs.delete(new URL(url).host);
  }

  /** Remembers that the API could not download from this URL's host. */
  add(url: string | URL): void {
    const { host } = new URL(url);
    this.#untilMs.set(host, this.#clock.now() + this.#rememberMs);
  }
}
