import type { Clock } from '../../internal/clock.ts';
import { AttemptFailure, type AttemptReport } from '../quota/attempt-report.ts';
import type { RouteAnswer, RouteAttempt, RouteLeg } from './route-job.ts';
import type { RoutePlace } from './route-place.ts';

/** What an attempt resolved with, and what it told of itself. */
export interface ReportedValue<Value> extends AttemptReport {
  readonly value: Value;
}

/** Makes an attempt, and joins what it tells of itself to its value or error. An attempt that resolves was answered. */
export async function reportedAttempt<Target, Value>(
  attempt: RouteAttempt<Target, Value>,
  place: RoutePlace<Target>,
  clock: Clock,
): Promise<ReportedValue<Value>> {
  const leg = new ReportedLeg(place, clock);
  try {
    const value = await attempt(leg);
    leg.answered({});
    return { ...leg.report(), value };
  } catch (error) {
    throw new AttemptFailure(error, leg.report());
  }
}

class ReportedLeg<Target> implements RouteLeg<Target> {
  readonly endpoint: string;
  readonly model: string;
  readonly target: Target;
  readonly queueMs: number;
  readonly #clock: Clock;
  #sent = false;
  #sentAtMs: number | undefined;
  #answer: (RouteAnswer & { readonly answeredAtMs: number }) | undefined;
  #limits: RouteAnswer['limits'];

  constructor({ endpoint, model, target, queueMs }: RoutePlace<Target>, clock: Clock) {
    this.endpoint = endpoint;
    this.model = model;
    this.target = target;
    this.queueMs = queueMs;
    this.#clock = clock;
  }

  sent(): void {
    if (this.#sent) return;
    this.#sent = true;
    this.#sentAtMs = this.#clock.now();
  }

  unsent(): void {
    this.#sent = false;
  }

  answered(answer: RouteAnswer): void {
    this.#answer ??= { ...answer, answeredAtMs: this.#clock.now() };
  }

  limited({ limits }: Pick<RouteAnswer, 'limits'>): void {
    this.#limits = limits ?? this.#limits;
  }

  report(): AttemptReport {
    const { limits = this.#limits, ...answer } = this.#answer ?? {};
    return { ...answer, limits, sent: this.#sent || this.#answer !== undefined, sentAtMs: this.#sentAtMs };
  }
}
