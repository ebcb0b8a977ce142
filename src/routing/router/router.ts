import { ClosedError } from '../../errors/closed-error.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { QueueFullError } from '../../errors/queue-full-error.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { SignalWatch } from '../../internal/async/signals.ts';
import { jointPressure, type QuotaPressure } from '../limits/limit-pressure.ts';
import { AttemptFailure, type AttemptReport } from '../quota/attempt-report.ts';
import { attemptAt, Endpoint, type EndpointRoute, type RoutePlace } from './endpoint.ts';
import { RouteDispatcher } from './route-dispatcher.ts';
import { checkJob, type RouteAttempt, type RouteJob, reportedAttempt } from './route-job.ts';
import { ModelQueues, type QueuedCall } from './route-queue.ts';
import { MAX_MOVE_WAIT_MS, RouteSearch } from './route-search.ts';
import { type RouterOptions, type RouterSettings, routerSettingsOf } from './router-options.ts';
import { type RouterCounts, type RouterStats, routerStatsOf } from './router-stats.ts';

/**
 * Gives each call to an endpoint that can take it at that moment: with quota left, a free slot, a closed breaker and an
 * accepted key. Other calls wait in a queue for each model, higher priorities first. A call that can't make its
 * deadline is refused at once.
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
  readonly #endpoints: readonly Endpoint<Target>[];
  readonly #queues: ModelQueues<Target>;
  readonly #search: RouteSearch<Target>;
  readonly #dispatcher: RouteDispatcher<Target>;
  readonly #signals = new SignalWatch<QueuedCall<Target>>((call, reason) => this.#drop(call, reason));
  readonly #counts: RouterCounts = { placed: 0, switched: 0, full: 0, late: 0 };
  #sequence = 0;
  #inFlight = 0;
  #closing: Deferred<void> | undefined;
  #destroyed: { readonly reason: unknown } | undefined;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
  constructor(options: RouterOptions<Target>) {
    this.#settings = routerSettingsOf(options);
    const { endpoints, breakerWaitMs, random, clock } = this.#settings;
    this.#endpoints = endpoints.map((endpoint) => new Endpoint(endpoint));
    this.#search = new RouteSearch(breakerWaitMs);
    this.#dispatcher = new RouteDispatcher(clock, random, this.#search, {
      placed: this.#start,
      aborted: (call) => this.#reject(call, call.job.signal.reason),
      stranded: (call, because) => this.#reject(call, call.lastFailure ?? because),
      late: (call, waitMs, nowMs) => this.#reject(call, this.#lateError(call, waitMs, nowMs)),
    });
    this.#queues = new ModelQueues(this.#settings, this.#endpoints, this.#dispatcher.place);
  }

  /**
   * Settles as the attempt does. Makes the attempt again at another endpoint, at most once at each. That happens when
   * it sent nothing, or when its failure takes the endpoint out of rotation.
   * @throws `DESCRIBE_RATE_LIMITED` when the call can't make its deadline, `DESCRIBE_TIMEOUT` when the deadline passes
   * in the queue; `DESCRIBE_QUOTA_EXHAUSTED` or `DESCRIBE_AUTH` when every endpoint is out of rotation for it;
   * `DESCRIBE_QUEUE_FULL`; `DESCRIBE_CLOSED`; `DESCRIBE_INPUT_INVALID` for a wrong job or an attempt that is no
   * function; the signal's reason; or the error of the attempt.
   */
  async run<Value>(job: RouteJob, attempt: RouteAttempt<Target, Value>): Promise<Value> {
    checkJob(job, attempt);
    const { clock } = this.#settings;
    const reported = (place: RoutePlace<Target>) => reportedAttempt(attempt, place, clock);
    return (await this.route(job, (place) => attemptAt(place, job.tokens, () => reported(place)))).value;
  }

  /**
   * As `run`, for an attempt that calls `attemptAt` before anything else. Its answer, or its `AttemptFailure`, carries
   * the report.
   */
  route<Answer extends AttemptReport>(
    job: RouteJob,
    attempt: (place: RoutePlace<Target>) => Promise<Answer>,
  ): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const { signal, avoid } = job;
      if (this.#closing !== undefined) {
        reject(new ClosedError('the router'));
        return;
      }
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      this.#sequence += 1;
      const nowMs = this.#settings.clock.now();
      const queue = this.#queues.of(job.model);
      const call: QueuedCall<Target> = {
        job,
        attempt,
        priority: job.priority,
        sequence: this.#sequence,
        atMs: nowMs,
        queue: avoid === undefined || avoid.size === 0 ? queue : queue.avoiding(avoid),
        bucket: undefined,
        previous: undefined,
        next: undefined,
        signal: undefined,
        waitsSinceMs: nowMs,
        left: undefined,
        lastFailure: undefined,
        resolve: resolve as (answer: AttemptReport) => void,
        reject,
      };
      if (this.#dispatcher.add(call, nowMs)) this.#wait(call, nowMs);
    });
  }

  /** Whether an endpoint outside of `avoid` can take a call within a second, free slots aside. */
  hasOtherFor(job: Pick<RouteJob, 'model' | 'tokens' | 'avoid'>): boolean {
    return this.#leastWaitMs(job, job.avoid) <= MAX_MOVE_WAIT_MS;
  }

  /** Milliseconds until an endpoint can take a call, free slots and waiting calls aside; 0 where it is unknown. */
  waitMsFor(job: Pick<RouteJob, 'model' | 'tokens'>): number {
    const waitMs = this.#leastWaitMs(job);
    return Number.isFinite(waitMs) ? waitMs : 0;
  }

  /** How short the limits of a model are, over all endpoints. */
  pressureOf(model: string): QuotaPressure {
    const quotas = new Set(this.#queues.of(model).routes.map(({ quota }) => quota));
    return jointPressure([...quotas].flatMap(({ pressure }) => pressure ?? []));
  }

  /** A fresh frozen snapshot. */
  getStats(): RouterStats {
    return routerStatsOf(
      this.#counts,
      this.#dispatcher.size,
      this.#endpoints,
      (endpoint) => this.#queues.routesOf(endpoint),
      (route) => (this.#endpoints.length < 2 ? 0 : this.#search.breakerWaitMs(route)),
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
   * Refuses new calls and rejects those that wait with `reason`. Those that run go on until their own signals end them.
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

  /** Lets a call that was queued wait, unless the queue is full or the wait is too long. */
  #wait(call: QueuedCall<Target>, nowMs: number): void {
    const { maxQueued } = this.#settings;
    if (this.#dispatcher.size > maxQueued) {
      this.#counts.full += 1;
      this.#drop(call, new QueueFullError('the queue for an endpoint', 'maxQueued', maxQueued));
      return;
    }
    const waitMs = this.#search.expectedWaitMs(call, nowMs);
    if (nowMs + waitMs > call.job.deadlineAtMs) this.#drop(call, this.#lateError(call, waitMs, nowMs));
    else this.#signals.add(call.job.signal, call);
  }

  #leastWaitMs({ model, tokens }: Pick<RouteJob, 'model' | 'tokens'>, avoid?: RouteJob['avoid']): number {
    return this.#search.leastWaitMs(this.#queues.of(model).routes, tokens, avoid, this.#settings.clock.now());
  }

  #lateError(call: QueuedCall<Target>, waitMs: number, nowMs: number): DescribeError {
    this.#counts.late += 1;
    if (call.lastFailure !== undefined) return call.lastFailure;
    if (call.job.deadlineAtMs < nowMs) return new TimeoutError('the wait for an endpoint', nowMs - call.waitsSinceMs);
    const refusal = call.queue.refusal(nowMs);
    if (refusal !== undefined) return refusal;
    const what = 'no endpoint has capacity before the deadline of the call';
    const retryAfterMs = Number.isFinite(waitMs) ? Math.ceil(waitMs) : undefined;
    return new UpstreamError('DESCRIBE_RATE_LIMITED', what, { retryable: true, retryAfterMs });
  }

  /** Removes a call from its queue. */
  #drop(call: QueuedCall<Target>, reason: unknown): void {
    this.#dispatcher.remove(call);
    this.#reject(call, reason);
  }

  #reject(call: QueuedCall<Target>, reason: unknown): void {
    this.#signals.remove(call);
    call.reject(reason);
    this.#endIfIdle();
  }

  readonly #start = (call: QueuedCall<Target>, route: EndpointRoute<Target>, nowMs: number): void => {
    if (call.signal !== undefined) this.#signals.remove(call);
    this.#inFlight += 1;
    this.#counts.placed += 1;
    route.inFlight += 1;
    route.endpoint.inFlight += 1;
    const { name, target } = route.endpoint;
    const place: RoutePlace<Target> = {
      endpoint: name,
      model: route.model,
      target,
      queueMs: nowMs - call.waitsSinceMs,
      startedAtMs: nowMs,
      route,
      routes: call.queue.routes,
    };
    call.attempt(place).then(
      (answer) => {
        this.#leave(route, answer);
        call.resolve(answer);
        this.#dispatcher.place();
        if (this.#closing !== undefined) this.#endIfIdle();
      },
      (thrown: unknown) => {
        this.#fail(call, route, AttemptFailure.of(thrown));
        this.#dispatcher.place();
        this.#endIfIdle();
      },
    );
  };

  #fail(call: QueuedCall<Target>, route: EndpointRoute<Target>, { error, report }: AttemptFailure): void {
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
    if (organization !== undefined && organization !== route.endpoint.organization)
      this.#queues.learnOrganization(route.endpoint, organization);
  }

  /**
   * Whether a failed attempt may be made at another endpoint without being a retry. An endpoint that has just gone out
   * of rotation gives its calls to any other. A call that was not sent moves only to those that are not cooling down.
   */
  #mayMove(call: QueuedCall<Target>, failed: EndpointRoute<Target>, sent: boolean, failure: DescribeError): boolean {
    const { routes } = call.queue;
    if (routes.length < 2 || call.job.deltas?.hasBegun === true) return false;
    const { moves } = failureMeaning(failure);
    const wentOut = moves === 'always';
    if (!wentOut && (sent || moves === 'never')) return false;
    const left = call.left ?? new Set();
    call.left = left.add(failed.endpoint);
    const nowMs = this.#settings.clock.now();
    return routes.some(
      (route) =>
        !left.has(route.endpoint) &&
        route.outBecause(route.quota.waitMs(call.job.tokens, nowMs), nowMs) === undefined &&
        (wentOut || this.#search.coolDownMs(route, routes.length, nowMs) === 0),
    );
  }

  #move(call: QueuedCall<Target>, { endpoint }: EndpointRoute<Target>, failure: DescribeError): void {
    this.#counts.switched += 1;
    call.queue = call.queue.movedFrom(endpoint);
    call.lastFailure = failure;
    call.waitsSinceMs = this.#settings.clock.now();
    if (this.#dispatcher.add(call, call.waitsSinceMs)) this.#signals.add(call.job.signal, call);
  }

  #endIfIdle(): void {
    if (this.#closing === undefined || this.#inFlight > 0 || this.#dispatcher.size > 0) return;
    this.#closing.resolve();
  }
}
