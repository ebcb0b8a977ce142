import type { Clock } from '../../internal/clock.ts';
import type { RateLimitSnapshot } from '../limits/rate-limit-snapshot.ts';
import { AttemptFailure, type AttemptReport } from '../quota/attempt-report.ts';
import type { RoutePlace } from './route-place.ts';

/** A call, as the router sees it. */
export interface RouteJob {
  readonly model: string;
  /** Estimated tokens that the call takes from the quota. */
  readonly tokens: number;
  /** Higher goes first; 0 is usual. */
  readonly priority: number;
  readonly signal: AbortSignal;
  /** When the call must have ended, on the router's clock. */
  readonly deadlineAtMs: number;
  /**
   * Names of endpoints that failed this call already: used only while no other can take it within a second, free slots
   * aside.
   */
  readonly avoid?: ReadonlySet<string> | undefined;
}

/** The report of an answer. */
export type RouteAnswer = Pick<AttemptReport, 'limits' | 'chargedTokens' | 'outputTokens' | 'organization'>;

/** One attempt of a call at the endpoint that it was given to. */
export interface RouteLeg<Target> {
  readonly endpoint: string;
  /** The model to send. */
  readonly model: string;
  readonly target: Target;
  /** Milliseconds that the call waited for this attempt. */
  readonly queueMs: number;
  /**
   * From here on bytes may have left. A failure without it means that nothing was sent: the quota gets its tokens back,
   * and the call may move to another endpoint.
   */
  sent(): void;
  /** Takes `sent` back: no byte left, as where no connection was made. */
  unsent(): void;
  /** The API answered; call it before the attempt ends. */
  answered(report: RouteAnswer): void;
  /** The API refused for going too fast, or failed, and its headers said this. */
  limited(report: { readonly limits?: RateLimitSnapshot | undefined }): void;
}

/** Makes one attempt. It rejects with a `DescribeError`, or with anything else when the call itself ended. */
export type RouteAttempt<Target, Value> = (leg: RouteLeg<Target>) => Promise<Value>;

/** Makes an attempt, and joins its report to its value or error. An attempt that resolves was answered. */
export async function reportedAttempt<Target, Value>(
  attempt: RouteAttempt<Target, Value>,
  { endpoint, model, target, queueMs }: RoutePlace<Target>,
  clock: Clock,
): Promise<AttemptReport & { readonly value: Value }> {
  let sent = false;
  let sentAtMs: number | undefined;
  let refusedBy: RateLimitSnapshot | undefined;
  let answer: AttemptReport | undefined;
  const leg: RouteLeg<Target> = {
    endpoint,
    model,
    target,
    queueMs,
    sent: () => {
      if (!sent) sentAtMs = clock.now();
      sent = true;
    },
    unsent: () => {
      sent = false;
    },
    answered: (report) => {
      answer ??= { ...report, sent: true, answeredAtMs: clock.now() };
    },
    limited: ({ limits }) => {
      refusedBy = limits ?? refusedBy;
    },
  };
  const report = (): AttemptReport => ({ limits: refusedBy, sent, ...answer, sentAtMs });
  try {
    const value = await attempt(leg);
    leg.answered({});
    return { ...report(), value };
  } catch (error) {
    throw new AttemptFailure(error, report());
  }
}
