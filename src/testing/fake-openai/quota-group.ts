import type { Clock } from '../../internal/clock.ts';
import { ApiError } from './api-error.ts';
import { formatGoDuration } from './go-duration.ts';
import { QuotaBucket } from './quota-bucket.ts';

/** Limits of one quota group. A limit that is not given does not exist. */
export interface FakeLimits {
  readonly requestsPerMinute?: number;
  readonly requestsPerDay?: number;
  readonly tokensPerMinute?: number;
  readonly tokensPerDay?: number;
  readonly imagesPerMinute?: number;
  /** Requests in flight at once; one more is a 429. */
  readonly maxConcurrency?: number;
  /**
   * How much of a minute's limit may be used at once, in seconds of the rate; the day limits may be used whole. Bound:
   * above 0, at most 60.
   * @defaultValue 1
   */
  readonly burstSeconds?: number;
  /**
   * Whether a refused request uses up the request limits too, so that resending without a pause never succeeds.
   * @defaultValue false
   */
  readonly countRejected?: boolean;
}

/** The cost of one request in its group. */
export interface QuotaCost {
  readonly requests: number;
  readonly tokens: number;
  readonly images: number;
}

interface Dimension {
  readonly unit: keyof QuotaCost;
  /** As the API's message names it. */
  readonly label: string;
  readonly bucket: QuotaBucket;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** The wait in the answer when only the concurrency is used up. */
const CONCURRENCY_RETRY_MS = 100;

/** The holder of the limits, as the answers name it. */
export interface QuotaOwner {
  readonly organization?: string;
  readonly project?: string;
}

/** The limits that some keys and models share. */
export class QuotaGroup {
  readonly name: string;
  /** Headers that name the holder of the limits, where it is known. */
  readonly ownerHeaders: Readonly<Record<string, string>>;
  readonly #dimensions: readonly Dimension[];
  readonly #limits: FakeLimits;
  #inFlight = 0;

  constructor(name: string, limits: FakeLimits, clock: Clock, owner: QuotaOwner = {}) {
    this.name = name;
    this.ownerHeaders = {
      ...(owner.organization === undefined ? {} : { 'openai-organization': owner.organization }),
      ...(owner.project === undefined ? {} : { 'openai-project': owner.project }),
    };
    this.#limits = limits;
    const burstMs = (limits.burstSeconds ?? 1) * 1000;
    const dimension = (
      unit: keyof QuotaCost,
      label: string,
      limit: number | undefined,
      windowMs: number,
    ): Dimension[] => {
      if (limit === undefined) return [];
      const capacity = windowMs === DAY_MS ? limit : (limit * burstMs) / windowMs;
      return [{ unit, label, bucket: new QuotaBucket(limit, windowMs, capacity, clock) }];
    };
    this.#dimensions = [
      ...dimension('requests', 'requests per min (RPM)', limits.requestsPerMinute, MINUTE_MS),
      ...dimension('tokens', 'tokens per min (TPM)', limits.tokensPerMinute, MINUTE_MS),
      ...dimension('images', 'images per min (IPM)', limits.imagesPerMinute, MINUTE_MS),
      ...dimension('requests', 'requests per day (RPD)', limits.requestsPerDay, DAY_MS),
      ...dimension('tokens', 'tokens per day (TPD)', limits.tokensPerDay, DAY_MS),
    ];
  }

  /** Takes the cost from every limit, or throws the 429 of the one that is full longest and takes nothing. */
  admit(cost: QuotaCost, model: string): void {
    let longest: Dimension | undefined;
    let waitMs = 0;
    for (const dimension of this.#dimensions) {
      const dimensionWaitMs = dimension.bucket.waitMs(cost[dimension.unit]);
      if (dimensionWaitMs > waitMs) {
        longest = dimension;
        waitMs = dimensionWaitMs;
      }
    }
    const tooLarge = this.#dimensions.find(({ unit, bucket }) => cost[unit] > bucket.limit);
    if (tooLarge !== undefined) throw this.#tooLarge(tooLarge, cost, model);
    if (longest !== undefined) {
      if (this.#limits.countRejected === true) this.chargeFailed();
      throw this.#limitReached(longest, cost, waitMs, model);
    }
    const { maxConcurrency } = this.#limits;
    if (maxConcurrency !== undefined && this.#inFlight >= maxConcurrency) {
      throw rejection('requests', CONCURRENCY_RETRY_MS, {
        ...this.headers(),
        message: `Too many concurrent requests for ${model}: Limit ${maxConcurrency}, Used ${this.#inFlight}, Requested 1.`,
      });
    }
    for (const { unit, bucket } of this.#dimensions) bucket.take(cost[unit]);
  }

  /** A request that failed on its own counts as one, like any other. */
  chargeFailed(): void {
    for (const { unit, bucket } of this.#dimensions) if (unit === 'requests') bucket.drain(1);
  }

  /** Counts a request as in flight until the returned function is called. */
  enter(): () => void {
    this.#inFlight += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#inFlight -= 1;
    };
  }

  /** The `x-ratelimit-…` headers of the minute's limits. */
  headers(): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const unit of ['requests', 'tokens'] as const) {
      const bucket = this.#dimensions.find((dimension) => dimension.unit === unit)?.bucket;
      if (bucket === undefined) continue;
      headers[`x-ratelimit-limit-${unit}`] = String(bucket.limit);
      headers[`x-ratelimit-remaining-${unit}`] = String(Math.max(0, Math.floor(bucket.level)));
      headers[`x-ratelimit-reset-${unit}`] = formatGoDuration(bucket.resetMs);
    }
    return headers;
  }

  #limitReached({ unit, label, bucket }: Dimension, cost: QuotaCost, waitMs: number, model: string): ApiError {
    const used = Math.max(0, Math.ceil(bucket.limit - Math.max(0, bucket.level)));
    return rejection(unit, waitMs, {
      ...this.headers(),
      message: `Rate limit reached for ${model} in organization org-fake on ${label}: Limit ${bucket.limit}, Used ${used}, Requested ${cost[unit]}. Please try again in ${formatGoDuration(waitMs)}.`,
    });
  }

  #tooLarge({ unit, label, bucket }: Dimension, cost: QuotaCost, model: string): ApiError {
    return new ApiError(
      429,
      {
        message: `Request too large for ${model} in organization org-fake on ${label}: Limit ${bucket.limit}, Requested ${cost[unit]}. The input or output tokens must be reduced in order to run successfully.`,
        type: unit,
        param: null,
        code: 'rate_limit_exceeded',
      },
      this.headers(),
    );
  }
}

function rejection(
  type: string,
  waitMs: number,
  { message, ...headers }: { readonly message: string } & Record<string, string>,
): ApiError {
  return new ApiError(
    429,
    { message, type, param: null, code: 'rate_limit_exceeded' },
    {
      ...headers,
      'retry-after-ms': String(Math.max(1, Math.ceil(waitMs))),
      'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))),
    },
  );
}
