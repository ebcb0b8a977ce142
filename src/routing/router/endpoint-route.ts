import type { DescribeError } from '../../errors/describe-error.ts';
import type { FailureScope } from '../../errors/failure-meaning.ts';
import type { UpstreamError } from '../../errors/upstream-error.ts';
import { AdaptiveConcurrency } from './adaptive-concurrency.ts';
import type { EndpointState } from './endpoint-state.ts';
import { OutlierEjection } from './outlier-ejection.ts';
import { PeakEwma } from './peak-ewma.ts';
import type { RouterQuota } from './router-quota.ts';

/**
 * Time until one call may find out whether a model is to be had by now: a right that was granted, a deployment made.
 */
const REFUSED_MODEL_MS = 300_000;
/**
 * Calls in flight before the first answer tells the limits, where `initialConcurrency` does not say how many: a burst
 * that a new key can't take must not be of a hundred.
 */
const PROBING_CONCURRENCY = 4;

/** What a router knows of one endpoint for one model: its quota, its slots, its latency, its health. */
export class EndpointRoute<Target> {
  readonly endpoint: EndpointState<Target>;
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
  #refused: { readonly failure: DescribeError; readonly untilMs: number } | undefined = undefined;

  constructor(endpoint: EndpointState<Target>, model: string, quota: RouterQuota) {
    this.endpoint = endpoint;
    this.model = model;
    this.quota = quota;
    const { maxConcurrency, initialConcurrency } = endpoint;
    this.concurrency = new AdaptiveConcurrency({ maxConcurrency, initialConcurrency });
  }

  /** Calls that may be in flight now: fewer while nothing is known, and after an ejection. */
  slots(nowMs: number): number {
    if (this.#refused !== undefined) return 1;
    const { limit } = this.concurrency;
    const known = this.answers > 0 || this.quota.limitsKnown === true;
    const first = this.endpoint.initialConcurrency ?? PROBING_CONCURRENCY;
    const capped = known ? limit : Math.min(limit, first);
    return Math.max(1, Math.floor(capped * this.ejection.share(nowMs)));
  }

  latencyMs(nowMs: number): number | undefined {
    return this.latency.valueMs(nowMs, this.inFlight === 0);
  }

  /** Calls in flight once it has one more, over its weight. */
  load(nowMs: number): number {
    return (this.inFlight + 1) / (this.endpoint.weight * this.ejection.share(nowMs));
  }

  /** Why nothing is sent here now by the API's word: nothing at all, or nothing for this model. */
  droppedBecause(nowMs: number): DescribeError | undefined {
    return this.endpoint.keyRefusal.failureAt(nowMs) ?? this.#modelRefusal(nowMs);
  }

  #modelRefusal(nowMs: number): DescribeError | undefined {
    return this.#refused !== undefined && nowMs < this.#refused.untilMs ? this.#refused.failure : undefined;
  }

  /** Milliseconds until one call may find out whether it still is dropped. */
  droppedForMs(nowMs: number): number {
    const modelMs = this.#refused === undefined ? 0 : this.#refused.untilMs - nowMs;
    return Math.max(0, modelMs, this.endpoint.keyRefusal.probeInMs(nowMs));
  }

  /**
   * Milliseconds for which calls wait here by themselves: for the end of an ejection, or for a key that is asked again.
   */
  returnInMs(nowMs: number): number {
    const { keyRefusal } = this.endpoint;
    return Math.max(this.ejection.returnInMs(nowMs), keyRefusal.isAwaited ? keyRefusal.probeInMs(nowMs) : 0);
  }

  /** Why nothing can be sent here, as far as it is known to last, with a quota that has to be waited for so long. */
  outBecause(quotaMs: number, nowMs: number): DescribeError | undefined {
    const { keyRefusal } = this.endpoint;
    const refused = keyRefusal.isAwaited ? undefined : keyRefusal.failureAt(nowMs);
    // A stopped quota may let a probe through now and then, and asking why costs more than the wait told.
    return refused ?? this.#modelRefusal(nowMs) ?? (quotaMs > 0 ? this.quota.stopped : undefined);
  }

  /** The API doesn't know the key (401), doesn't let it have this model (403), or has no such model here (404). */
  drop(failure: DescribeError, scope: FailureScope, startedAtMs: number, nowMs: number): void {
    // A key that could not be had was never shown to the API: the next call asks for it again.
    if ((failure as UpstreamError).status === undefined) return;
    if (scope !== 'model') this.endpoint.keyRefusal.refused(failure, startedAtMs, nowMs);
    else this.#refused = { failure, untilMs: nowMs + REFUSED_MODEL_MS };
  }

  answered(latencyMs: number, startedAtMs: number, nowMs: number, outputTokens: number | undefined): void {
    const { inFlight } = this;
    this.#refused = undefined;
    this.endpoint.keyRefusal.accepted(startedAtMs);
    this.answers += 1;
    this.latency.observe(latencyMs, nowMs);
    this.ejection.succeeded(startedAtMs, nowMs);
    this.concurrency.answered({ latencyMs, outputTokens, startedAtMs, nowMs, inFlight });
  }

  /** Counts an outage beside the `routes` of the same line, itself among them: at most half of them are ejected. */
  failed(startedAtMs: number, nowMs: number, routes: readonly EndpointRoute<Target>[]): void {
    this.failures += 1;
    this.latency.failed(nowMs - startedAtMs, nowMs);
    const others = routes.filter((route) => route !== this);
    const ejected = others.filter(({ ejection }) => ejection.returnInMs(nowMs) > 0).length;
    const mayEject = ejected + 1 <= routes.length / 2;
    if (this.ejection.failed(startedAtMs, nowMs, meanRatioOf(others, nowMs), mayEject)) this.ejections += 1;
  }
}

function meanRatioOf<Target>(routes: readonly EndpointRoute<Target>[], nowMs: number): number | undefined {
  const ratios = routes.flatMap(({ ejection }) => ejection.successRatio(nowMs) ?? []);
  return ratios.length === 0 ? undefined : ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}
