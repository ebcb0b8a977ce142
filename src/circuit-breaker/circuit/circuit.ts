import { answerNow } from '../../internal/async/user-callback.ts';
import type { CircuitBreakerEvents, OpenReason } from '../circuit-breaker-events.ts';
import type { ResolvedOptions } from '../circuit-breaker-options.ts';
import type { EventOf, OrderedEvents } from '../ordered-events.ts';
import { type ErrorKind, kindOf } from '../verdict/failure-kind.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { Evidence } from '../window/evidence.ts';
import { breakDurationMs } from './break-duration.ts';
import { HalfOpenTrial } from './half-open-trial.ts';
import { OpossumEngine } from './opossum-engine.ts';

/** A stay in one state. Its identity tells whether a call that ends began in the state that still holds. */
export type Phase =
  | { readonly state: 'CLOSED'; readonly evidence: Evidence }
  | { readonly state: 'OPEN'; readonly sinceMs: number; readonly untilMs: number; readonly cause: unknown }
  | { readonly state: 'HALF_OPEN'; readonly trial: HalfOpenTrial; readonly cause: unknown }
  | { readonly state: 'ISOLATED'; readonly cause: unknown };

/** Time left of a break. Never more than its length: the clock may have been put back since. */
export const remainingMs = (
  { sinceMs, untilMs }: { readonly sinceMs: number; readonly untilMs: number },
  nowMs: number,
): number => Math.min(untilMs - sinceMs, Math.max(0, untilMs - nowMs));

/** The states of a breaker and what moves it between them. It knows outcomes, not calls. */
export class Circuit {
  /** The stay that holds now, as far as the last `catchUp` or timer knew. */
  phase: Phase;
  /** Set by the first listener, so that breakers nobody listens to carry none. */
  events: OrderedEvents<CircuitBreakerEvents> | undefined = undefined;
  /** Breaks since the circuit was last closed, those by hand aside. */
  consecutiveBreaks = 0;
  opened = 0;
  /** Only its kind, for the error may hold much and belong to a request. */
  lastFailure: ErrorKind | undefined = undefined;
  shutDown = false;
  readonly #name: string;
  readonly #options: ResolvedOptions;
  #engine: OpossumEngine | undefined = undefined;

  constructor(name: string, options: ResolvedOptions) {
    this.#name = name;
    this.#options = options;
    this.phase = { state: 'CLOSED', evidence: new Evidence(options) };
  }

  /** Half-opens when the break is over by the clock although its timer has not fired yet: the loop was blocked. */
  catchUp(): Phase {
    if (this.phase.state === 'OPEN' && this.#options.clock.now() >= this.phase.untilMs) {
      this.#engine?.release();
      this.#halfOpen();
    }
    return this.phase;
  }

  /**
   * Takes the outcome of a call that began in `phase`; false when that stay is over and the outcome decides nothing.
   */
  conclude(phase: Phase, verdict: Verdict, slow: boolean, nowMs: number, error: unknown, result: unknown): boolean {
    if (verdict === 'failure' && error !== undefined) this.lastFailure = kindOf(error);
    if (phase !== this.phase) return false;
    if (phase.state === 'CLOSED') this.#weigh(phase.evidence, verdict, slow, nowMs, error, result);
    else if (phase.state === 'HALF_OPEN') this.#judge(phase.trial, verdict, slow, error, result);
    return true;
  }

  open(): void {
    if (!this.shutDown && this.catchUp().state !== 'OPEN') this.#break('manual');
  }

  isolate(): void {
    if (this.shutDown || this.phase.state === 'ISOLATED') return;
    this.#engine?.release();
    const cause = this.phase.state === 'CLOSED' ? undefined : this.phase.cause;
    this.#enter({ state: 'ISOLATED', cause }, ['isolated', { name: this.#name }]);
  }

  close(): void {
    if (this.shutDown) return;
    this.#engine?.release();
    this.consecutiveBreaks = 0;
    this.lastFailure = undefined;
    this.#enter({ state: 'CLOSED', evidence: new Evidence(this.#options) }, ['closed', { name: this.#name }]);
  }

  /** Leaves no timer and lets nothing through for ever. */
  shutdown(): void {
    this.shutDown = true;
    this.#engine?.release();
    this.phase = { state: 'ISOLATED', cause: undefined };
    this.events?.clear();
  }

  #weigh(evidence: Evidence, verdict: Verdict, slow: boolean, nowMs: number, error: unknown, result: unknown): void {
    if (verdict === 'neutral') return;
    if (verdict === 'success' && !slow) {
      evidence.recordSuccess(nowMs);
      return;
    }
    const broken = verdict === 'failure' ? evidence.recordFailure(nowMs, slow) : evidence.recordSlowSuccess(nowMs);
    if (broken !== undefined) this.#break(broken, error, verdict === 'failure' ? result : undefined);
  }

  #judge(trial: HalfOpenTrial, verdict: Verdict, slow: boolean, error: unknown, result: unknown): void {
    if (verdict === 'neutral') {
      trial.release();
      return;
    }
    const decision = verdict === 'success' && !slow ? trial.succeed() : trial.fail();
    if (decision === 'close') this.close();
    else if (decision === 'open') this.#break('probe-failed', error, verdict === 'failure' ? result : undefined);
  }

  #break(reason: OpenReason, error?: unknown, result?: unknown): void {
    const before = this.phase;
    const failure = error ?? result;
    const askedMs = failure === undefined ? undefined : answerNow(this.#options.retryAfterMs, failure, undefined);
    // The user's own code ran: a command in it counts for more than this outcome.
    if (this.phase !== before) return;
    if (reason !== 'manual') this.consecutiveBreaks += 1;
    this.opened += 1;
    const durationMs = breakDurationMs(Math.max(1, this.consecutiveBreaks), askedMs, this.#options);
    const sinceMs = this.#options.clock.now();
    this.#engine ??= new OpossumEngine(() => this.#halfOpen());
    this.#engine.open(durationMs);
    const untilMs = sinceMs + durationMs;
    const opened = { name: this.#name, reason, retryAfterMs: durationMs, cause: error };
    this.#enter({ state: 'OPEN', sinceMs, untilMs, cause: error }, ['opened', opened]);
  }

  #halfOpen(): void {
    const cause = this.phase.state === 'CLOSED' ? undefined : this.phase.cause;
    const { halfOpenMaxCalls, halfOpenSuccessRatio } = this.#options;
    const trial = new HalfOpenTrial(halfOpenMaxCalls, halfOpenSuccessRatio);
    this.#enter({ state: 'HALF_OPEN', trial, cause }, ['halfOpened', { name: this.#name }]);
  }

  #enter(next: Phase, event: EventOf<CircuitBreakerEvents>): void {
    const from = this.phase.state;
    this.phase = next;
    if (this.events === undefined || from === next.state) return;
    this.events.emitAll(event, ['stateChanged', { name: this.#name, from, to: next.state }]);
  }
}
