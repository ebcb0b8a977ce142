import type { RateLimitSnapshot } from './rate-limit-snapshot.ts';

/** What an answer tells of the quota. */
export interface QuotaAnswer {
  readonly limits?: RateLimitSnapshot | undefined;
  /** What the API counted: the larger of prompt tokens and output limit; absent where unknown. */
  readonly chargedTokens?: number | undefined;
}

/** Whether a count is known and one. */
export const isCount = (value: number | undefined): value is number =>
  value !== undefined && value >= 0 && value <= Number.MAX_SAFE_INTEGER;

/** What a refusal for going too fast tells. */
export interface QuotaRefusal {
  readonly limits?: RateLimitSnapshot | undefined;
  readonly retryAfterMs?: number | undefined;
  /** The API asked to slow down, which lowers the rate for a while. */
  readonly slowDown?: boolean | undefined;
}

/**
 * The right to send one request. It has exactly one end; later ends are ignored. Its methods may be taken apart from
 * it.
 */
export interface QuotaPermit {
  /** The API answered. */
  answered(answer: QuotaAnswer): void;
  /** The API refused with 429: pauses the whole group, and corrects what is believed of its limits. */
  throttled(refusal: QuotaRefusal): void;
  /** Sent, and no answer of use came: the API has counted it. */
  failed(): void;
  /** Nothing was sent: given back whole. */
  refund(): void;
}

/** Where the ends of permits arrive. */
export interface QuotaEnds<Taken> {
  answered(taken: Taken, answer: QuotaAnswer): void;
  throttled(taken: Taken, refusal: QuotaRefusal): void;
  failed(taken: Taken): void;
  refunded(taken: Taken): void;
}

export class TakenPermit<Taken> implements QuotaPermit {
  readonly #taken: Taken;
  #ends: QuotaEnds<Taken> | undefined;

  constructor(taken: Taken, ends: QuotaEnds<Taken>) {
    this.#taken = taken;
    this.#ends = ends;
  }

  // Accessors, because a call of the client uses one of the four: the others are not made.
  get answered(): QuotaPermit['answered'] {
    return (answer) => this.#end()?.answered(this.#taken, answer);
  }

  get throttled(): QuotaPermit['throttled'] {
    return (refusal) => this.#end()?.throttled(this.#taken, refusal);
  }

  get failed(): QuotaPermit['failed'] {
    return () => this.#end()?.failed(this.#taken);
  }

  get refund(): QuotaPermit['refund'] {
    return () => this.#end()?.refunded(this.#taken);
  }

  #end(): QuotaEnds<Taken> | undefined {
    const ends = this.#ends;
    this.#ends = undefined;
    return ends;
  }
}
