import type { QuotaAnswer, QuotaRefusal } from '../quota/quota-permit.ts';
import type { QuotaTaking } from '../quota/quota-source.ts';
import type { SharedMark } from './shared-dimension.ts';

/** Where the ends of what was taken from a shared quota arrive. */
export interface SharedEnds {
  answered(requests: SharedMark, tokens: SharedMark, answer: QuotaAnswer, nowMs: number): void;
  refused(requests: SharedMark, tokens: SharedMark, refusal: QuotaRefusal, nowMs: number): void;
  refunded(requests: SharedMark, tokens: SharedMark): void;
}

export class SharedTaking implements QuotaTaking {
  readonly #ends: SharedEnds;
  readonly #requests: SharedMark;
  readonly #tokens: SharedMark;

  constructor(ends: SharedEnds, requests: SharedMark, tokens: SharedMark) {
    this.#ends = ends;
    this.#requests = requests;
    this.#tokens = tokens;
  }

  answered(answer: QuotaAnswer, nowMs: number): boolean {
    this.#ends.answered(this.#requests, this.#tokens, answer, nowMs);
    return false;
  }

  refused(refusal: QuotaRefusal, nowMs: number): boolean {
    this.#ends.refused(this.#requests, this.#tokens, refusal, nowMs);
    return false;
  }

  refunded(): boolean {
    this.#ends.refunded(this.#requests, this.#tokens);
    return true;
  }
}
