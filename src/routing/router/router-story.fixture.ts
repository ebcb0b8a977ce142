import type { DescribeError } from '../../errors/describe-error.ts';
import { UpstreamError, type UpstreamErrorOptions } from '../../errors/upstream-error.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { RouteAnswer, RouteJob, RouteLeg } from './route-job.ts';
import { Router } from './router.ts';

import type { RouterEndpoint, RouterOptions } from './router-options.ts';
import type { RouterPermit, RouterQuota } from './router-quota.ts';

/** A quota that a test controls, and that writes down how its permits end. */
export class FakeQuota implements RouterQuota {
  readonly name: string;
  readonly #clock: ManualClock;
  readonly #listeners: (() => void)[] = [];
  /** Requests that fit; one more each `refillMs`. */
  capacity: number;
  refillMs: number;
  pausedUntilMs = 0;
  limitsKnown = true;
  stopped: DescribeError | undefined = undefined;
  taken = 0;
  readonly ends: string[] = [];
  #refilledAtMs = 0;

  constructor(name: string, clock: ManualClock, capacity = Number.POSITIVE_INFINITY, refillMs = 1_000) {
    this.name = name;
    this.#clock = clock;
    this.capacity = capacity;
    this.refillMs = refillMs;
  }

  waitMs(_tokens = 0): number {
    if (this.stopped !== undefined) return Number.POSITIVE_INFINITY;
    this.#refill();
    const pauseMs = Math.max(0, this.pausedUntilMs - this.#clock.now());
    return this.capacity >= 1 ? pauseMs : Math.max(pauseMs, this.#refilledAtMs + this.refillMs - this.#clock.now());
  }

  drainMs(requests: number): number {
    this.#refill();
    return Math.max(this.waitMs(), Math.max(0, requests - this.capacity) * this.refillMs);
  }

  take(): RouterPermit {
    if (this.waitMs() > 0) throw new Error('taken where there is no capacity');
    this.capacity -= 1;
    this.taken += 1;
    let open = true;
    const end = (how: string) => {
      if (!open) return;
      open = false;
      this.ends.push(how);
    };
    return {
      answered: () => end('answered'),
      throttled: ({ retryAfterMs = 0 }) => {
        end('throttled');
        this.pausedUntilMs = Math.max(this.pausedUntilMs, this.#clock.now() + retryAfterMs);
      },
      failed: () => end('failed'),
      refund: () => {
        if (open) this.capacity += 1;
        end('refunded');
        this.tellRoom();
      },
    };
  }

  onCapacity(listener: () => void): void {
    this.#listeners.push(listener);
  }

  stop(error: DescribeError): void {
    this.stopped = error;
    this.tellRoom();
  }

  tellRoom(): void {
    for (const listener of this.#listeners) listener();
  }

  #refill(): void {
    if (this.capacity === Number.POSITIVE_INFINITY) return;
    const steps = Math.floor((this.#clock.now() - this.#refilledAtMs) / this.refillMs);
    this.capacity += steps;
    this.#refilledAtMs += steps * this.refillMs;
  }
}

/** An attempt that a test holds in its hands. */
export interface HeldLeg {
  readonly leg: RouteLeg<string>;
  readonly label: string;
  answer(answer?: RouteAnswer): Promise<void>;
  fail(error: unknown, options?: { readonly sent?: boolean }): Promise<void>;
}

export type JobOptions = Partial<RouteJob> & { readonly label?: string };

/** A router over fake quotas, whose attempts stay open until the test ends them. */
export class RouterStory {
  readonly clock = new ManualClock();
  readonly quotas = new Map<string, FakeQuota>();
  readonly router: Router<string>;
  readonly legs: HeldLeg[] = [];
  /** Labels in the order in which their attempts began. */
  readonly begun: string[] = [];

  constructor(
    endpoints: readonly (Omit<RouterEndpoint<string>, 'target'> & {
      readonly capacity?: number;
      readonly refillMs?: number;
    })[],
    options: Partial<RouterOptions<string>> = {},
  ) {
    for (const { name, quotaGroup = name, capacity, refillMs } of endpoints) {
      if (!this.quotas.has(quotaGroup)) {
        this.quotas.set(quotaGroup, new FakeQuota(quotaGroup, this.clock, capacity, refillMs));
      }
    }
    this.router = new Router<string>({
      endpoints: endpoints.map(({ capacity: _capacity, refillMs: _refillMs, ...endpoint }) => ({
        ...endpoint,
        target: `target of ${endpoint.name}`,
      })),
      quotas: (group) => this.quota(group),
      clock: this.clock,
      random: () => 0.5,
      ...options,
    });
  }

  quota(group: string): FakeQuota {
    const quota = this.quotas.get(group);
    if (quota === undefined) throw new Error(`no quota ${group}`);
    return quota;
  }

  /** Runs a call whose attempts appear in `legs`. */
  run({ label = 'call', ...job }: JobOptions = {}): Promise<string> {
    const ended = this.router.run(jobOf(job), (leg) => {
      const outcome = new Deferred<string>();
      this.begun.push(label);
      this.legs.push({
        leg,
        label,
        answer: async (answer = {}) => {
          leg.sent();
          leg.answered(answer);
          outcome.resolve(`${label} by ${leg.endpoint}`);
          await this.clock.flush();
        },
        fail: async (error, { sent = true } = {}) => {
          if (sent) leg.sent();
          outcome.reject(error);
          await this.clock.flush();
        },
      });
      return outcome.promise;
    });
    ended.catch(() => {});
    return ended;
  }

  /** The attempt that began last. */
  get last(): HeldLeg {
    const last = this.legs.at(-1);
    if (last === undefined) throw new Error('no attempt began');
    return last;
  }

  modelStats(endpoint: string) {
    const stats = this.router.getStats().endpoints[endpoint]?.models[0];
    if (stats === undefined) throw new Error(`nothing is known of ${endpoint}`);
    return stats;
  }
}

export function jobOf(job: Partial<RouteJob> = {}): RouteJob {
  return {
    model: 'gpt-4.1-mini',
    tokens: 100,
    priority: 0,
    signal: new AbortController().signal,
    deadlineAtMs: Number.POSITIVE_INFINITY,
    ...job,
  };
}

export const failureOf = {
  outage: () => new UpstreamError('DESCRIBE_UPSTREAM', 'the API failed (500)', { status: 500, retryable: true }),
  overload: () => new UpstreamError('DESCRIBE_OVERLOADED', 'the API is overloaded', { status: 503, retryable: true }),
  throttle: (options: UpstreamErrorOptions = {}) =>
    new UpstreamError('DESCRIBE_RATE_LIMITED', 'the API limits the rate', {
      status: 429,
      retryable: true,
      ...options,
    }),
  quota: () => new UpstreamError('DESCRIBE_QUOTA_EXHAUSTED', 'the account has no quota left', { status: 429 }),
  auth: (status = 401) => new UpstreamError('DESCRIBE_AUTH', 'the API does not accept the key', { status }),
  missing: (upstreamCode = 'model_not_found') =>
    new UpstreamError('DESCRIBE_UPSTREAM', 'the API rejected the request', { status: 404, upstreamCode }),
  item: () => new UpstreamError('DESCRIBE_REFUSED', 'the API refused the image', { status: 400 }),
};
