import { DescribeError } from '../errors/describe-error.ts';
import { failureMeaning } from '../errors/failure-table.ts';
import { type BackoffOptions, decorrelatedJitterDelay, type Random } from '../internal/backoff.ts';
import { NO_OPTIONS } from '../internal/options/own-options.ts';
import type { RetryClass, RetryClassPolicy, RetrySettings } from './retry-options.ts';

/** Settings for errors of one class, with all defaults. */
export interface ClassRules {
  readonly maxAttempts: number;
  readonly backoff: BackoffOptions;
}

type RetryBounds = Pick<RetrySettings, 'maxAttempts' | 'initialDelayMs' | 'maxDelayMs'>;

/** Gives the function that finds the settings for an error: those of its class, else the policy's own. */
export function rulesByClass({ policies = {}, ...own }: RetrySettings): (error: unknown) => ClassRules {
  const ownRules = rulesOf(own);
  const byClass = new Map<string, ClassRules>();
  for (const name of Object.keys(policies) as RetryClass[]) byClass.set(name, rulesOf(own, policies[name]));
  return (error) => {
    if (byClass.size === 0 || !DescribeError.is(error)) return ownRules;
    return byClass.get(failureMeaning(error).kind) ?? ownRules;
  };
}

function rulesOf(own: RetryBounds, ofClass: RetryClassPolicy = NO_OPTIONS): ClassRules {
  const { maxAttempts = own.maxAttempts, initialDelayMs = own.initialDelayMs, maxDelayMs = own.maxDelayMs } = ofClass;
  return { maxAttempts, backoff: { initialDelayMs, maxDelayMs: Math.max(initialDelayMs, maxDelayMs) } };
}

/** The waits of one run: decorrelated jitter, which starts again when the class of the errors changes. */
export class RunBackoff {
  #rules: ClassRules | undefined;
  #previousDelayMs = 0;

  /** Milliseconds to wait after this error, at least its `retryAfterMs`. */
  next(error: unknown, rules: ClassRules, random: Random): number {
    if (rules !== this.#rules) this.#previousDelayMs = rules.backoff.initialDelayMs;
    this.#rules = rules;
    this.#previousDelayMs = decorrelatedJitterDelay(this.#previousDelayMs, rules.backoff, random);
    return delayAfter(error, this.#previousDelayMs, random);
  }
}

/** Retry-After is a minimum. Up to a tenth of jitter is added, so that waiting callers do not return together. */
function delayAfter(error: unknown, backoffMs: number, random: Random): number {
  const { retryAfterMs } = (error ?? {}) as { readonly retryAfterMs?: unknown };
  if (typeof retryAfterMs !== 'number' || !(retryAfterMs > 0)) return backoffMs;
  return Math.max(backoffMs, retryAfterMs * (1 + random() * 0.1));
}
