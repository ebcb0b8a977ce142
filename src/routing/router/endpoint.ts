import { DescribeError } from '../../errors/describe-error.ts';
import type { FailureScope } from '../../errors/failure-meaning.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import type { UpstreamError } from '../../errors/upstream-error.ts';
import { exponentialDelay } from '../../internal/backoff.ts';
import type { Clock } from '../../internal/clock.ts';
import { AttemptFailure, type AttemptReport } from '../quota/attempt-report.ts';
import { settleFailed } from '../quota/quota-permit.ts';
import { AdaptiveConcurrency } from './adaptive-concurrency.ts';
import { OutlierEjection, PeakEwma } from './endpoint-health.ts';
import type { RouterEndpoint } from './router-options.ts';
import type { RouterQuota } from './router-quota.ts';

const DEFAULT_MAX_CONCURRENCY = 256;
/** Time until one call may probe whether a refused key is accepted again: 5 s, doubling to 5 minutes. */
const KEY_PROBES = { initialDelayMs: 5_000, maxDelayMs: 300_000 };
/** Time until one call may probe a refused model: a permission or a deployment may have been added. */
const REFUSED_MODEL_MS = 300_000;
/**
 * Calls in flight before the first answer shows the limits, where `initialConcurrency` is not given. A burst of a
 * hundred may be too much for a new key.
 */
const PROBING_CONCURRENCY = 4;

/** The state of an endpoint that is the same for all models, such as whether the API refuses its key (401). */
export class Endpoint<Target> {
  readonly name: string;
  readonly target: Target;
  readonly weight: number;
  readonly model: string | undefined;
  readonly maxConcurrency: number;
  readonly initialConcurrency: number | undefined;
  /** Whether its quota group was given, so that no answer changes it. */
  readonly groupGiven: boolean;
  quotaGroup: string;
  /** Calls in flight, of all models. */
  inFlight = 0;
  /** The organisation that its last answer named. */
  organization: string | undefined = undefined;
  /** The last refusal of its key, until a call is answered. */
  keyFailure: DescribeError | undefined = undefined;
  #keyRefusedAtMs = Number.NEGATIVE_INFINITY;
  #keyProbeAtMs = 0;
  #keyRefusals = 0;
  #keyWasAccepted = false;

  constructor(options: RouterEndpoint<Target>) {
    const { name, target, weight = 1, quotaGroup, model, initialConcurrency } = options;
    this.name = name;
    this.target = target;
    this.weight = weight;
    this.model = model;
    this.maxConcurrency = options.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY;
    this.initialConcurrency = initialConcurrency;
    this.groupGiven = quotaGroup !== undefined;
    this.quotaGroup = quotaGroup ?? name;
  }

  /** Whether one more call of any model may be in flight. Only one at a time may while the key is in doubt. */
  get hasSlot(): boolean {
    return this.inFlight < (this.keyFailure === undefined ? this.maxConcurrency : 1);
  }

  /** The refusal of the key, until the next probe. */
  keyFailureAt(nowMs: number): DescribeError | undefined {
    return nowMs < this.#keyProbeAtMs ? this.keyFailure : undefined;
  }

  keyProbeInMs(nowMs: number): number {
    return this.keyFailure === undefined ? 0 : Math.max(0, this.#keyProbeAtMs - nowMs);
  }

  /**
   * Whether calls wait for the next probe of the key instead of failing. A key that was accepted before may have been
   * refused by mistake once.
   */
  get awaitsKey(): boolean {
    return this.#keyWasAccepted && this.#keyRefusals === 1;
  }

  /**
   * The API refused the key of a call that began at `startedAtMs`. Refusals of calls that were in flight then count as
   * the same one.
   */
  keyRefused(failure: DescribeError, startedAtMs: number, nowMs: number): void {
    if (this.keyFailure !== undefined && startedAtMs <= this.#keyRefusedAtMs) return;
    // A pool that refused the call itself knows when it will accept the next one.
    const { retryAfterMs } = failure as UpstreamError;
    this.keyFailure = failure;
    this.#keyRefusedAtMs = nowMs;
    this.#keyRefusals += 1;
    this.#keyProbeAtMs = nowMs + (retryAfterMs ?? exponentialDelay(this.#keyRefusals, KEY_PROBES));
  }

  /** A call that began then was answered. */
  keyAccepted(startedAtMs: number): void {
    this.#keyWasAccepted = true;
    if (this.keyFailure === undefined || startedAtMs <= this.#keyRefusedAtMs) return;
    this.keyFailure = undefined;
    this.#keyProbeAtMs = 0;
    this.#keyRefusals = 0;
  }
}

/** The state of one endpoint for one model: its quota, its slots, its latency, its health. */
export class EndpointRoute<Target> {
  readonly endpoint: Endpoint<Target>;
  /** The model as it is sent. */
  readonly model: string;
  readonly concurrency: AdaptiveConcurrency;
  readonly ejection = new OutlierEjection();
  readonly latency = new PeakEwma();
  quota: RouterQuota;
  inFlight = 0;
  answers = 0;
  failures = 0;
  throttles = 0;
  ejections = 0;
  readonly #clock: Clock;
  #modelRefusal: { readonly failure: DescribeError; readonly untilMs: number } | undefined = undefined;

  constructor(endpoint: Endpoint<Target>, model: string, quota: RouterQuota, clock: Clock) {
    this.#clock = clock;
    this.endpoint = endpoint;
    this.model = model;
    this.quota = quota;
    const { maxConcurrency, initialConcurrency } = endpoint;
    this.concurrency = new AdaptiveConcurrency({ maxConcurrency, initialConcurrency });
  }

  /** Calls that may be in flight now: fewer while nothing is known, and after an ejection. */
  slots(nowMs: number): number {
    if (this.#modelRefusal !== undefined) return 1;
    const { limit } = this.concurrency;
    const known = this.answers > 0 || this.quota.limitsKnown === true;
    const capped = known ? limit : Math.min(limit, this.endpoint.initialConcurrency ?? PROBING_CONCURRENCY);
    return Math.max(1, Math.floor(capped * this.ejection.share(nowMs)));
  }

  latencyMs(nowMs: number): number | undefined {
    return this.latency.valueMs(nowMs, this.inFlight === 0);
  }

  /** Calls in flight once it has one more, over its weight. */
  load(nowMs: number): number {
    return (this.inFlight + 1) / (this.endpoint.weight * this.ejection.share(nowMs));
  }

  /** Why the API accepts nothing here now, either of any model or of this one. */
  refusal(nowMs: number): DescribeError | undefined {
    return this.endpoint.keyFailureAt(nowMs) ?? this.#refusalOfModel(nowMs);
  }

  /** Milliseconds until one call may probe whether it still refuses. */
  refusedForMs(nowMs: number): number {
    const modelMs = this.#modelRefusal === undefined ? 0 : this.#modelRefusal.untilMs - nowMs;
    return Math.max(0, modelMs, this.endpoint.keyProbeInMs(nowMs));
  }

  /** Milliseconds for which calls wait here: for the end of an ejection, or for the probe of an awaited key. */
  coolDownMs(nowMs: number): number {
    const { endpoint } = this;
    const ejectedMs = this.ejection.returnInMs(nowMs);
    if (endpoint.keyFailure === undefined || !endpoint.awaitsKey) return ejectedMs;
    return Math.max(ejectedMs, endpoint.keyProbeInMs(nowMs));
  }

  /** Why nothing can be sent here for longer than a call waits; `quotaMs` is the time until the quota is available. */
  outBecause(quotaMs: number, nowMs: number): DescribeError | undefined {
    const { endpoint } = this;
    // A stopped quota may let a probe pass now and then. Its reason costs more to get than `waitMs`.
    const stopped = quotaMs > 0 ? this.quota.stopped : undefined;
    if (endpoint.keyFailure === undefined && this.#modelRefusal === undefined) return stopped;
    return (endpoint.awaitsKey ? undefined : endpoint.keyFailureAt(nowMs)) ?? this.#refusalOfModel(nowMs) ?? stopped;
  }

  #refusalOfModel(nowMs: number): DescribeError | undefined {
    const refusal = this.#modelRefusal;
    return refusal !== undefined && nowMs < refusal.untilMs ? refusal.failure : undefined;
  }

  /** Records an answered attempt, if its report says that it was answered. */
  answered({ sentAtMs, answeredAtMs, outputTokens }: AttemptReport, startedAtMs: number, nowMs = answeredAtMs): void {
    if (answeredAtMs === undefined || nowMs === undefined) return;
    const beganAtMs = sentAtMs ?? startedAtMs;
    const latencyMs = answeredAtMs - beganAtMs;
    this.#modelRefusal = undefined;
    this.endpoint.keyAccepted(beganAtMs);
    this.answers += 1;
    this.latency.observe(latencyMs, nowMs);
    this.ejection.succeeded(beganAtMs, nowMs);
    const { inFlight } = this;
    this.concurrency.answered({ latencyMs, outputTokens, startedAtMs: beganAtMs, nowMs, inFlight });
  }

  /** Records a failed attempt. Returns the reading of the clock. */
  failed({ error, report }: AttemptFailure, { startedAtMs, routes }: RoutePlace<Target>): number {
    const nowMs = this.#clock.now();
    // Any other error is the end of the call, and says nothing about the endpoint.
    if (!DescribeError.is(error)) {
      this.answered(report, startedAtMs, nowMs);
      return nowMs;
    }
    const { kind, scope } = failureMeaning(error);
    const { code, upstreamCode } = error as UpstreamError;
    const sentAtMs = report.sentAtMs ?? startedAtMs;
    if (code === 'DESCRIBE_OVERLOADED' || upstreamCode === 'slow_down') this.concurrency.overloaded(sentAtMs, nowMs);
    if (report.sent && kind === 'throttle') this.throttles += 1;
    if (kind === 'outage') this.#countOutage(sentAtMs, nowMs, routes);
    else this.answered(report, startedAtMs, nowMs);
    // With several endpoints, a missing model is the fault of this endpoint.
    if (kind === 'auth' || (scope === 'model' && routes.length > 1)) this.#refused(error, scope, sentAtMs, nowMs);
    return nowMs;
  }

  /** The API refused the key (401), or this model for it (403), or has no such model here (404). */
  #refused(failure: DescribeError, scope: FailureScope, startedAtMs: number, nowMs: number): void {
    // A key that could not be obtained was never sent to the API. The next call asks for it again.
    if ((failure as UpstreamError).status === undefined) return;
    if (scope !== 'model') this.endpoint.keyRefused(failure, startedAtMs, nowMs);
    else this.#modelRefusal = { failure, untilMs: nowMs + REFUSED_MODEL_MS };
  }

  /** At most half of the `routes` of a model, itself among them, are ejected. */
  #countOutage(startedAtMs: number, nowMs: number, routes: RoutePlace<Target>['routes']): void {
    this.failures += 1;
    this.latency.failed(nowMs - startedAtMs, nowMs);
    const others = routes.filter((route) => route !== this).map(({ ejection }) => ejection);
    const ejected = others.filter((ejection) => ejection.returnInMs(nowMs) > 0).length;
    const mayEject = ejected + 1 <= routes.length / 2;
    if (this.ejection.failed(startedAtMs, nowMs, meanRatioOf(others, nowMs), mayEject)) this.ejections += 1;
  }
}

/** The endpoint that a call was given to. Its quota has just said that the call fits, and nothing is taken yet. */
export interface RoutePlace<Target> {
  readonly endpoint: string;
  /** The model to send. */
  readonly model: string;
  readonly target: Target;
  /** Milliseconds that the call waited for this attempt. */
  readonly queueMs: number;
  /** Reading of the clock when it was chosen. */
  readonly startedAtMs: number;
  readonly route: EndpointRoute<Target>;
  /** Those of the model, `route` among them. */
  readonly routes: readonly EndpointRoute<Target>[];
}

/**
 * Reserves from the quota at once, makes the attempt, records how the endpoint did, and settles the quota. The quota
 * comes last: units given back may let another call begin, which must see this outcome.
 */
export async function attemptAt<Target, Answer extends AttemptReport>(
  place: RoutePlace<Target>,
  tokens: number,
  attempt: () => Promise<Answer>,
): Promise<Answer> {
  const { route, startedAtMs } = place;
  const { quota } = route;
  const permit = quota.take(tokens, startedAtMs);
  let answer: Answer;
  try {
    answer = await attempt();
  } catch (thrown) {
    const failure = AttemptFailure.of(thrown);
    const nowMs = route.failed(failure, place);
    settleFailed(quota, permit, failure, nowMs);
    throw failure;
  }
  route.answered(answer, startedAtMs);
  permit.answered(answer, answer.answeredAtMs);
  return answer;
}

function meanRatioOf(ejections: readonly OutlierEjection[], nowMs: number): number | undefined {
  const ratios = ejections.flatMap((ejection) => ejection.successRatio(nowMs) ?? []);
  return ratios.length === 0 ? undefined : ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}
