import type { DescribeError } from '../../errors/describe-error.ts';
import type { FailureMeaning } from '../../errors/failure-meaning.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import type { UpstreamError } from '../../errors/upstream-error.ts';
import type { Clock } from '../../internal/clock.ts';
import type { RateLimitSnapshot } from '../quota/rate-limit-snapshot.ts';
import type { EndpointRoute } from './endpoint-route.ts';
import type { RouteAnswer, RouteLeg } from './route-job.ts';
import type { RouteLine } from './route-queue.ts';
import type { RouterPermit } from './router-quota.ts';

/** How an attempt ended: answered as it should be, failed, or cut short by the call's own end. */
export type LegEnd =
  | { readonly failure: DescribeError; readonly meaning: FailureMeaning; readonly drops: boolean }
  | 'succeeded'
  | 'cut short';

/** An attempt under way. It holds one permit and one slot, and `end` gives up both. */
export class RunningLeg<Target> implements RouteLeg<Target> {
  readonly endpoint: string;
  readonly model: string;
  readonly target: Target;
  readonly queueMs: number;
  readonly route: EndpointRoute<Target>;
  readonly #permit: RouterPermit;
  readonly #clock: Clock;
  readonly #onOrganization: (leg: RunningLeg<Target>, organization: string) => void;
  #startedAtMs: number;
  #wasSent = false;
  #answer: RouteAnswer | undefined;
  #answeredAtMs = 0;
  #limits: RateLimitSnapshot | undefined;

  constructor(
    route: EndpointRoute<Target>,
    permit: RouterPermit,
    queueMs: number,
    clock: Clock,
    nowMs: number,
    onOrganization: (leg: RunningLeg<Target>, organization: string) => void,
  ) {
    this.endpoint = route.endpoint.name;
    this.model = route.model;
    this.target = route.endpoint.target;
    this.queueMs = queueMs;
    this.route = route;
    this.#permit = permit;
    this.#clock = clock;
    this.#startedAtMs = nowMs;
    this.#onOrganization = onOrganization;
    route.inFlight += 1;
    route.endpoint.inFlight += 1;
  }

  get wasSent(): boolean {
    return this.#wasSent || this.#answer !== undefined;
  }

  sent(): void {
    if (this.#wasSent) return;
    this.#wasSent = true;
    this.#startedAtMs = this.#clock.now();
  }

  unsent(): void {
    this.#wasSent = false;
  }

  answered(report: RouteAnswer): void {
    if (this.#answer !== undefined) return;
    this.#answer = report;
    this.#answeredAtMs = this.#clock.now();
    const { limits, chargedTokens, organization } = report;
    this.#permit.answered({ limits, chargedTokens });
    if (organization !== undefined) this.#onOrganization(this, organization);
  }

  limited({ limits }: { readonly limits?: RateLimitSnapshot | undefined }): void {
    this.#limits = limits ?? this.#limits;
  }

  /** Settles the quota and what is known of the endpoint beside the others of its line; ends the attempt's slot. */
  end(end: LegEnd, nowMs: number, line: RouteLine<Target>): void {
    if (end === 'succeeded') this.answered({});
    this.#learn(end, nowMs, line);
    this.route.inFlight -= 1;
    this.route.endpoint.inFlight -= 1;
    // Last, for a permit that ends may make others begin, and they are to know all of this.
    this.#settle(end, nowMs);
  }

  #settle(end: LegEnd, nowMs: number): void {
    const { route } = this;
    const permit = this.#permit;
    const kind = typeof end === 'object' ? end.meaning.kind : undefined;
    if (typeof end === 'object') {
      if (kind === 'quota') route.quota.stop(end.failure);
      if (end.drops) route.drop(end.failure, end.meaning.scope, this.#startedAtMs, nowMs);
    }
    if (!this.wasSent) {
      permit.refund();
    } else if (typeof end === 'object' && kind === 'throttle') {
      const { retryAfterMs, upstreamCode } = end.failure as UpstreamError;
      route.throttles += 1;
      permit.throttled({ limits: this.#limits, retryAfterMs, slowDown: upstreamCode === 'slow_down' });
    } else {
      // Ignored where the answer has ended it.
      permit.failed();
    }
  }

  #learn(end: LegEnd, nowMs: number, line: RouteLine<Target>): void {
    const { route } = this;
    const startedAtMs = this.#startedAtMs;
    if (typeof end === 'object' && isOverload(end.failure)) route.concurrency.overloaded(startedAtMs, nowMs);
    if (typeof end === 'object' && end.meaning.kind === 'outage') {
      route.failed(startedAtMs, nowMs, line.routes);
    } else if (this.#answer !== undefined) {
      const { outputTokens } = this.#answer;
      route.answered(this.#answeredAtMs - startedAtMs, startedAtMs, nowMs, outputTokens);
    }
  }
}

const isOverload = (failure: DescribeError): boolean =>
  failure.code === 'DESCRIBE_OVERLOADED' || (failure as UpstreamError).upstreamCode === 'slow_down';

/**
 * What the rejection of an attempt means: a failure of it, or the end of the call. Where there are others, a model that
 * an endpoint does not have is no fault of the call.
 */
export function legEndOf(error: DescribeError | undefined, hasOthers: boolean): LegEnd {
  if (error === undefined) return 'cut short';
  const meaning = failureMeaning(error);
  return {
    failure: error,
    meaning,
    drops: meaning.kind === 'auth' || (hasOthers && meaning.scope === 'model'),
  };
}
