import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import type { UpstreamError } from '../../errors/upstream-error.ts';
import type { Clock } from '../../internal/clock.ts';
import { AttemptFailure, type AttemptReport } from '../quota/attempt-report.ts';
import type { ReservableQuota } from '../quota/quota-permit.ts';
import type { EndpointRoute } from './endpoint.ts';

/** The endpoint that a call was given to. Its quota has just said that the call fits, and nothing is taken yet. */
export class RoutePlace<Target> {
  readonly endpoint: string;
  /** The model to send. */
  readonly model: string;
  readonly target: Target;
  /** Milliseconds that the call waited for this attempt. */
  readonly queueMs: number;
  readonly quota: ReservableQuota;
  readonly #route: EndpointRoute<Target>;
  readonly #routes: readonly EndpointRoute<Target>[];
  readonly #clock: Clock;
  /** Reading of the clock when it was chosen. */
  readonly startedAtMs: number;

  /** @param routes - All routes of the model, this one included. */
  constructor(
    route: EndpointRoute<Target>,
    routes: readonly EndpointRoute<Target>[],
    queueMs: number,
    clock: Clock,
    nowMs: number,
  ) {
    this.endpoint = route.endpoint.name;
    this.model = route.model;
    this.target = route.endpoint.target;
    this.quota = route.quota;
    this.queueMs = queueMs;
    this.#route = route;
    this.#routes = routes;
    this.#clock = clock;
    this.startedAtMs = nowMs;
  }

  /**
   * Makes the attempt, and records how the endpoint did. Call it inside of what settles the quota: units given back may
   * let another call begin, which must see this outcome.
   */
  async observe<Answer extends AttemptReport>(attempt: () => Promise<Answer>): Promise<Answer> {
    let answer: Answer;
    try {
      answer = await attempt();
    } catch (thrown) {
      this.failed(AttemptFailure.of(thrown));
      throw thrown;
    }
    this.answered(answer, answer.answeredAtMs ?? this.#clock.now());
    return answer;
  }

  /** Records a failed attempt. */
  failed({ error, report }: AttemptFailure): void {
    const nowMs = this.#clock.now();
    // Any other error is the end of the call, and says nothing about the endpoint.
    if (!DescribeError.is(error)) {
      this.answered(report, nowMs);
      return;
    }
    const route = this.#route;
    const { kind, scope } = failureMeaning(error);
    const { code, upstreamCode } = error as UpstreamError;
    const sentAtMs = report.sentAtMs ?? this.startedAtMs;
    if (code === 'DESCRIBE_OVERLOADED' || upstreamCode === 'slow_down') route.concurrency.overloaded(sentAtMs, nowMs);
    if (report.sent && kind === 'throttle') route.throttles += 1;
    if (kind === 'outage') route.failed(sentAtMs, nowMs, this.#routes);
    else this.answered(report, nowMs);
    // With several endpoints, a missing model is the fault of this endpoint.
    const lacksModel = this.#routes.length > 1 && scope === 'model';
    if (kind === 'auth' || lacksModel) route.refused(error, scope, sentAtMs, nowMs);
  }

  /** Records an answered attempt, if the report says that it was answered. */
  answered({ sentAtMs = this.startedAtMs, answeredAtMs, outputTokens }: AttemptReport, nowMs: number): void {
    if (answeredAtMs === undefined) return;
    this.#route.answered(answeredAtMs - sentAtMs, sentAtMs, nowMs, outputTokens);
  }
}
