import { ClosedError } from '../../errors/closed-error.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { QueueFullError } from '../../errors/queue-full-error.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { SignalWatch } from '../../internal/async/signals.ts';
import { AttemptFailure, type AttemptReport } from '../quota/attempt-report.ts';
import { jointPressure, type QuotaPressure } from '../quota/limit-pressure.ts';
import { withReservation } from '../quota/reservation.ts';
import type { EndpointRoute } from './endpoint-route.ts';
import { EndpointState } from './endpoint-state.ts';
import { expectedWaitMs } from './expected-wait.ts';
import { RouteDirectory } from './route-directory.ts';
import { RouteDispatcher } from './route-dispatcher.ts';
import type { RouteAttempt, RouteJob } from './route-job.ts';
import { reportedAttempt } from './route-leg.ts';
import { RoutePlace } from './route-place.ts';
import { RouteCall, type RouteLine } from './route-queue.ts';
import { MOVE_PATIENCE_MS, RouteSearch } from './route-search.ts';
import { type RouterOptions, type RouterSettings, routerSettingsOf } from './router-options.ts';
import { type RouterCounts, type RouterStats, routerStatsOf } from './router-stats.ts';

/**
 * Gives each call to an endpoint that can take it at that moment: one that has quota left, a free slot, a breaker that
 * lets through and a key that is accepted. Calls that none can take wait in a line for each model, higher priorities
 * first, and a call that can't make its deadline is refused at once.
 *
 * @example
 * ```ts
 * import { QuotaRegistry, Router } from '@describe-it/sdk/routing';
 *
 * const quotas = new QuotaRegistry();
 * const endpoints = ['https://api.openai.com/v1', 'https://b.example/v1'].map((target) => ({ name: target, target }));
 * const router = new Router({ endpoints, quotas: (group, model) => quotas.get(group, model) });
 * const { signal } = new AbortController();
 * const job = { model: 'gpt-4.1-mini', tokens: 1200, priority: 0, signal, deadlineAtMs: Infinity };
 * const status = await router.run(job, async (leg) => {
 *   leg.sent();
 *   const { status } = await fetch(`${leg.target}/models/${leg.model}`);
 *   leg.answered({});
 *   return status;
 * });
 * ```
 */
export class Router<Target> {
  readonly #settings: RouterSettings<Target>;
  readonly #endpoints: readonly EndpointState<Target>[];
  readonly #directory: RouteDirectory<Target>;
  readonly #search: RouteSearch<Target>;
  readonly #dispatcher: RouteDispatcher<Target>;
  readonly #signals = new SignalWatch<RouteCall<Target>>((call, reason) => this.#drop(call, reason));
  readonly #counts: RouterCounts = { placed: 0, switched: 0, full: 0, late: 0 };
  #sequence = 0;
  #inFlight = 0;
  #closing: Deferred<void> | undefined;
  #destroyed: { readonly reason: unknown } | undefined;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
  constructor(options: RouterOptions<Target>) {
    this.#settings = routerSettingsOf(options);
    const { endpoints, quotas, ageingMs, breakerWaitMs, random, clock } = this.#settings;
    this.#endpoints = endpoints.map((endpoint) => new EndpointState(endpoint));
    this.#search = new RouteSearch(breakerWaitMs);
    this.#dispatcher = new RouteDispatcher(clock, random, this.#search, {
      placed: (call, route, nowMs) => this.#start(call, route, nowMs),
      aborted: (call) => this.#reject(call, call.job.signal.reason),
      stranded: (call, because) => this.#reject(call, call.lastFailure ?? because),
      late: (call, waitMs) => this.#reject(call, this.#lateError(call, waitMs)),
    });
    this.#directory = new RouteDirectory(this.#endpoints, quotas, ageingMs, this.#dispatcher.place);
  }

  /**
   * Settles as the attempt does. An attempt that sent nothing, or whose endpoint went out of rotation by its very
   * failure, is made again at another endpoint, at most once at each.
   * @throws `DESCRIBE_RATE_LIMITED` when the deadline can't be made, `DESCRIBE_TIMEOUT` when it passes in the line;
   * `DESCRIBE_QUOTA_EXHAUSTED` or `DESCRIBE_AUTH` when that puts every endpoint out; `DESCRIBE_QUEUE_FULL`;
   * `DESCRIBE_CLOSED`; the signal's reason; or what the attempt threw.
   */
  async run<Value>(job: RouteJob, attempt: RouteAttempt<Target, Value>): Promise<Value> {
    const { clock } = this.#settings;
    const { value } = await this.route(job, (place) =>
      withReservation(place.quota, job.tokens, () => place.observe(() => reportedAttempt(attempt, place, clock))),
    );
    return value;
  }

  /**
   * As `run`, for an attempt that reserves from the quota of its place before anything else happens, settles that, and
   * lets the place observe it. Its answer, or the `AttemptFailure` it rejects with, says what it learned.
   */
  route<Answer extends AttemptReport>(
    job: RouteJob,
    attempt: (place: RoutePlace<Target>) => Promise<Answer>,
  ): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      if (this.#closing !== undefined) {
        reject(new ClosedError('the router'));
      } else if (job.signal.aborted) {
        reject(job.signal.reason);
      } else {
        this.#sequence += 1;
        const line = lineFor(job, this.#directory.lineOf(job.model));
        const nowMs = this.#settings.clock.now();
        const call = new RouteCall<Target>(
          job,
          attempt,
          line,
          this.#sequence,
          nowMs,
          resolve as (answer: AttemptReport) => void,
          reject,
        );
        this.#admit(call, nowMs);
      }
    });
  }

  /** Whether an endpoint that is not to be avoided can take a call within a second, free slots aside. */
  hasOtherFor(job: Pick<RouteJob, 'model' | 'tokens' | 'avoid'>): boolean {
    return this.#leastWaitMs(job, job.avoid) <= MOVE_PATIENCE_MS;
  }

  /**
   * Milliseconds until an endpoint can take a call, free slots and those that wait aside; 0 where there is no telling.
   */
  waitMsFor(job: Pick<RouteJob, 'model' | 'tokens'>): number {
    const waitMs = this.#leastWaitMs(job);
    return Number.isFinite(waitMs) ? waitMs : 0;
  }

  /** How short the limits of a model are, over all endpoints. */
  pressureOf(model: string): QuotaPressure {
    const quotas = new Set(this.#directory.lineOf(model).routes.map(({ quota }) => quota));
    return jointPressure([...quotas].flatMap(({ pressure }) => pressure ?? []));
  }

  /** A fresh frozen snapshot. */
  getStats(): RouterStats {
    return routerStatsOf(
      this.#counts,
      this.#dispatcher.size,
      this.#endpoints,
      (endpoint) => this.#directory.routesOf(endpoint),
      (route) => this.#breakerWaitMs(route),
      this.#settings.clock.now(),
    );
  }

  /** Takes no more calls; resolves when those that wait and run have ended. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= new Deferred<void>();
    this.#endIfIdle();
    return this.#closing.promise;
  }

  /**
   * Takes no more calls and rejects those that wait with `reason`; those that run go on until their own signals end
   * them.
   */
  destroy(reason: unknown): void {
    this.#closing ??= new Deferred<void>();
    this.#destroyed ??= { reason };
    for (const call of this.#dispatcher.clear()) this.#reject(call, reason);
    this.#endIfIdle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #admit(call: RouteCall<Target>, nowMs: number): void {
    this.#dispatcher.add(call);
    if (!call.waiting) return;
    const { maxQueued } = this.#settings;
    if (this.#dispatcher.size > maxQueued) {
      this.#counts.full += 1;
      this.#drop(call, new QueueFullError('the line for an endpoint', 'maxQueued', maxQueued));
      return;
    }
    const waitMs = expectedWaitMs(call, (route) => this.#coolDownMs(route, nowMs), nowMs);
    if (nowMs + waitMs > call.job.deadlineAtMs) this.#drop(call, this.#lateError(call, waitMs));
    else this.#signals.add(call.job.signal, call);
  }

  #leastWaitMs({ model, tokens }: Pick<RouteJob, 'model' | 'tokens'>, avoid?: ReadonlySet<string>): number {
    const nowMs = this.#settings.clock.now();
    let leastMs = Number.POSITIVE_INFINITY;
    for (const route of this.#directory.lineOf(model).routes) {
      const quotaMs = route.quota.waitMs(tokens);
      if (avoid?.has(route.endpoint.name) || route.outBecause(quotaMs, nowMs) !== undefined) continue;
      leastMs = Math.min(leastMs, Math.max(quotaMs, this.#coolDownMs(route, nowMs)));
    }
    return leastMs;
  }

  #coolDownMs(route: EndpointRoute<Target>, nowMs: number): number {
    return Math.max(this.#breakerWaitMs(route), route.returnInMs(nowMs));
  }

  #breakerWaitMs(route: EndpointRoute<Target>): number {
    return this.#search.breakerWaitMs(route, this.#endpoints.length);
  }

  #lateError(call: RouteCall<Target>, waitMs: number): DescribeError {
    this.#counts.late += 1;
    if (call.lastFailure !== undefined) return call.lastFailure;
    const nowMs = this.#settings.clock.now();
    if (call.job.deadlineAtMs < nowMs) return new TimeoutError('the wait for an endpoint', nowMs - call.waitsSinceMs);
    const refusal = call.line.droppedBecause(nowMs);
    if (refusal !== undefined) return refusal;
    const what = 'no endpoint has room before the deadline of the call';
    const retryAfterMs = Number.isFinite(waitMs) ? Math.ceil(waitMs) : undefined;
    return new UpstreamError('DESCRIBE_RATE_LIMITED', what, { retryable: true, retryAfterMs });
  }

  /** Takes a call out of its line. */
  #drop(call: RouteCall<Target>, reason: unknown): void {
    this.#dispatcher.remove(call);
    this.#reject(call, reason);
  }

  #reject(call: RouteCall<Target>, reason: unknown): void {
    this.#signals.remove(call);
    call.reject(reason);
    this.#endIfIdle();
  }

  #start(call: RouteCall<Target>, route: EndpointRoute<Target>, nowMs: number): void {
    this.#signals.remove(call);
    this.#inFlight += 1;
    this.#counts.placed += 1;
    route.inFlight += 1;
    route.endpoint.inFlight += 1;
    const { clock } = this.#settings;
    const queueMs = nowMs - call.waitsSinceMs;
    const place = new RoutePlace(route, call.line.routes, queueMs, clock, nowMs);
    call.attempt(place).then(
      (answer) => {
        this.#leave(route, answer);
        call.resolve(answer);
        this.#next();
      },
      (thrown: unknown) => {
        this.#fail(call, route, AttemptFailure.of(thrown));
        this.#next();
      },
    );
  }

  #fail(call: RouteCall<Target>, route: EndpointRoute<Target>, { error, report }: AttemptFailure): void {
    this.#leave(route, report);
    if (!DescribeError.is(error) || !this.#mayMove(call, route, report.sent, error)) {
      call.reject(error);
    } else if (this.#destroyed !== undefined || call.job.signal.aborted) {
      call.reject(this.#destroyed?.reason ?? call.job.signal.reason);
    } else {
      this.#move(call, route, error);
    }
  }

  #leave(route: EndpointRoute<Target>, { organization }: AttemptReport): void {
    this.#inFlight -= 1;
    route.inFlight -= 1;
    route.endpoint.inFlight -= 1;
    if (organization !== undefined) this.#directory.learnOrganization(route.endpoint, organization);
  }

  #next(): void {
    this.#dispatcher.place();
    this.#endIfIdle();
  }

  /**
   * Whether a failed attempt may be made at another endpoint without being a retry: an endpoint that has just gone out
   * leaves its calls to any other, one that sent nothing to those that are not cooling down.
   */
  #mayMove(call: RouteCall<Target>, failed: EndpointRoute<Target>, sent: boolean, failure: DescribeError): boolean {
    const { line, job } = call;
    if (line.routes.length < 2) return false;
    const { moves } = failureMeaning(failure);
    const wentOut = moves === 'always';
    if (!wentOut && (sent || moves === 'never')) return false;
    call.left ??= new Set();
    call.left.add(failed.endpoint);
    const nowMs = this.#settings.clock.now();
    return line.routes.some(
      (route) =>
        call.left?.has(route.endpoint) === false &&
        route.outBecause(route.quota.waitMs(job.tokens), nowMs) === undefined &&
        (wentOut || this.#coolDownMs(route, nowMs) === 0),
    );
  }

  #move(call: RouteCall<Target>, route: EndpointRoute<Target>, failure: DescribeError): void {
    this.#counts.switched += 1;
    call.line = call.line.movedFrom(route.endpoint);
    call.lastFailure = failure;
    call.waitsSinceMs = this.#settings.clock.now();
    this.#dispatcher.add(call);
    if (call.waiting) this.#signals.add(call.job.signal, call);
  }

  #endIfIdle(): void {
    if (this.#closing === undefined || this.#inFlight > 0 || this.#dispatcher.size > 0) return;
    this.#closing.resolve();
  }
}

/** A call that an endpoint has failed may wait for the others, and must not hold up those behind it. */
function lineFor<Target>({ avoid }: RouteJob, line: RouteLine<Target>): RouteLine<Target> {
  if (avoid === undefined || avoid.size === 0 || line.routes.length < 2) return line;
  const failed = line.routes.find(({ endpoint }) => avoid.has(endpoint.name));
  return failed === undefined ? line : line.movedFrom(failed.endpoint);
}
