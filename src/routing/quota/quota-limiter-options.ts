import type { Random } from '../../internal/backoff.ts';
import type { Clock } from '../../internal/clock.ts';
import {
  callable,
  clockOption,
  finiteNumber,
  integer,
  nonEmptyText,
  type OptionChecks,
  required,
  shape,
  withMethods,
} from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import type { AtomicScript } from '../shared-quota/atomic-script.ts';

/** Upper bounds of a quota. The API's headers lower them, and hold where no bound is given. */
export interface QuotaLimits {
  /** Requests a minute, at least 1. @defaultValue what the headers say; no limit where they say nothing */
  readonly requestsPerMinute?: number | undefined;
  /** Tokens a minute, at least 1. @defaultValue what the headers say; no limit where they say nothing */
  readonly tokensPerMinute?: number | undefined;
  /**
   * Processes that use this quota, at least 1. Each takes its share of the limits, unless they share through Redis, and
   * while Redis is away. @defaultValue 1; with Redis, as many as were seen there
   */
  readonly processes?: number | undefined;
  /**
   * Tokens a minute above which the API wants the rate to grow by at most half in 15 minutes; at least 1.
   * @defaultValue 1000000
   */
  readonly rampFromTokensPerMinute?: number | undefined;
}

export interface QuotaLimiterOptions {
  /** Appears in stats. @defaultValue none: it must be given */
  readonly name: string;
  /**
   * Names the quota among the processes that share it. It must be the same in all of them for one account, and differ
   * between accounts.
   * @defaultValue `name`
   */
  readonly sharedName?: string | undefined;
  /** Upper bounds of the quota. @defaultValue what the headers say */
  readonly limits?: QuotaLimits | undefined;
  /** Shares the quota with other processes. @defaultValue this process, or its share of the limits, alone */
  readonly shared?: AtomicScript | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** Source of jitter, numbers in [0, 1). @defaultValue Math.random */
  readonly random?: Random | undefined;
}

const perMinute = finiteNumber({ min: 1 });

export const QUOTA_LIMITS_SPEC = {
  requestsPerMinute: perMinute,
  tokensPerMinute: perMinute,
  processes: integer({ min: 1 }),
  rampFromTokensPerMinute: perMinute,
} satisfies OptionChecks<QuotaLimits>;

export const QUOTA_LIMITER_SPEC = {
  name: required(nonEmptyText()),
  sharedName: nonEmptyText(),
  limits: shape(QUOTA_LIMITS_SPEC),
  shared: withMethods('a store that runs scripts', 'run'),
  clock: clockOption,
  random: withDefault(callable(), Math.random),
} satisfies OptionChecks<QuotaLimiterOptions>;
