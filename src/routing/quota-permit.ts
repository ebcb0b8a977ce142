import type { QuotaMark } from './quota-dimension.ts';
import type { RateLimitSnapshot } from './rate-limit-snapshot.ts';

/** What an answer tells of the quota. */
export interface QuotaAnswer {
  readonly limits?: RateLimitSnapshot | undefined;
  /** What the API counted: the larger of prompt tokens and output limit; absent where unknown. */
  readonly chargedTokens?: number | undefined;
}

/** What a refusal for going too fast tells. */
export interface QuotaRefusal {
  readonly limits?: RateLimitSnapshot | undefined;
  readonly retryAfterMs?: number | undefined;
  /** The API asked to slow down, which lowers the rate for a while. */
  readonly slowDown?: boolean | undefined;
}

/** The right to send one request. It has exactly one end; later ends are ignored. */
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

/** What a permit took. */
export interface QuotaTaking {
  readonly estimatedTokens: number;
  readonly reservedTokens: number;
  readonly requests: QuotaMark;
  readonly tokens: QuotaMark;
}

/** Where the ends of permits arrive. */
export interface QuotaEnds {
  answered(taking: QuotaTaking, answer: QuotaAnswer): void;
  throttled(taking: QuotaTaking, refusal: QuotaRefusal): void;
  failed(taking: QuotaTaking): void;
  refunded(taking: QuotaTaking): void;
}

export class TakenPermit implements QuotaPermit {
  readonly #taking: QuotaTaking;
  #ends: QuotaEnds | undefined;

  constructor(taking: QuotaTaking, ends: QuotaEnds) {
    this.#taking = taking;
    this.#ends = ends;
  }

  answered(answer: QuotaAnswer): void {
    this.#end()?.answered(this.#taking, answer);
  }

  throttled(refusal: QuotaRefusal): void {
    this.#end()?.throttled(this.#taking, refusal);
  }

  failed(): void {
    this.#end()?.failed(this.#taking);
  }

  refund(): void {
    this.#end()?.refunded(this.#taking);
  }

  #end(): QuotaEnds | undefined {
    const ends = this.#ends;
    this.#ends = undefined;
    return ends;
  }
}
