import { randomBytes } from 'node:crypto';
import { type Clock, setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import type { RedisLink } from '../redis/redis-link.ts';

export const newLeaseToken = (): string => randomBytes(16).toString('base64url');

/** The right to work on one key, renewed until it ends. A process that dies loses it after `leaseMs`. */
export class Lease {
  readonly token: string;
  readonly #key: string;
  readonly #link: RedisLink;
  readonly #leaseMs: number;
  readonly #clock: Clock;
  #timer: TimerHandle | undefined;
  #over = false;

  constructor(link: RedisLink, key: string, token: string, { leaseMs, clock }: { leaseMs: number; clock: Clock }) {
    this.token = token;
    this.#link = link;
    this.#key = key;
    this.#leaseMs = leaseMs;
    this.#clock = clock;
    this.#schedule();
  }

  /** Stops renewing the lease. `give` returns it to Redis, unless a write did. Idempotent. */
  async end({ give }: { readonly give: boolean }): Promise<void> {
    if (this.#over) return;
    this.#stop();
    if (give) await this.#link.tier.endLease(this.#key, this.token, this.#link.gateway.deadline());
  }

  /** Renews three times a lease, so that one renewal may be lost. */
  #schedule(): void {
    this.#timer = setBackgroundTimeout(this.#clock, () => void this.#renew(), this.#leaseMs / 3);
  }

  async #renew(): Promise<void> {
    const { tier, gateway } = this.#link;
    const reply = await tier.keepLease(this.#key, this.token, this.#leaseMs, gateway.deadline());
    if (this.#over) return;
    // Then another process works on the key, and the write will fail.
    if (reply.ok && !reply.value) this.#stop();
    else this.#schedule();
  }

  #stop(): void {
    this.#over = true;
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
  }
}
