import { answerNow } from '../../internal/async/user-callback.ts';
import type { Clock } from '../../internal/clock.ts';
import { type ErrorKind, kindOf } from '../verdict/failure-kind.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { Evidence, type TripBounds } from '../window/evidence.ts';
import { type BreakDurationOptions, breakDurationMs } from './break-duration.ts';
import type { CircuitBreakerEvents, OpenReason } from './circuit-breaker-events.ts';
import { HalfOpenTrial } from './half-open-trial.ts';
import { OpossumEngine } from './opossum-engine.ts';
import type { EventOf, QueuedEmitter } from './queued-emitter.ts';

/** The settings of a breaker that its circuit uses. */
export interface CircuitSettings extends TripBounds, BreakDurationOptions {
  readonly halfOpenMaxCalls: number;
  readonly halfOpenSuccessRatio: number;
  readonly retryAfterMs: (failure: unknown) => number | undefined;
  readonly clock: Clock;
}

export interface HalfOpenPhase {
  readonly state: 'HALF_OPEN';
  readonly trial: HalfOpenTrial;
  readonly cause: unknown;
}

/** One period in one state. Its identity tells whether a call that ends began in the period that still lasts. */
export type Phase =
  | { readonly state: 'CLOSED'; readonly evidence: Evidence }
  | { readonly state: 'OPEN'; readonly sinceMs: number; readonly untilMs: number; readonly cause: unknown }
  | HalfOpenPhase
  | { readonly state: 'ISOLATED'; readonly cause: unknown };

/** Milliseconds left of a break. Never more than its length, because the clock may have been set back since. */
export const remainingMs = (
  { sinceMs, untilMs }: { readonly sinceMs: number; readonly untilMs: number },
  nowMs: number,
): number => Math.min(untilMs - sinceMs, Math.max(0, untilMs - nowMs));

/** The states of a breaker and the rules that change them. It knows outcomes, not calls. */
export class Circuit {
  /** The current period, as of the last `catchUp` or timer. */
  phase: Phase;
  /** Set by the first listener: a breaker without listeners has no emitter. */
  events: QueuedEmitter<CircuitBreakerEvents> | undefined = undefined;
  /** Breaks since the circuit was last closed, without those by `open()`. */
  consecutiveBreaks = 0;
  opened = 0;
  /** Only the kind of the failure, because the error may hold much data of its request. */
  lastFailure: ErrorKind | undefined = undefined;
  shutDown = false;
  readonly #name: string;
  readonly #settings: CircuitSettings;
  #engine: OpossumEngine | undefined = undefined;

  constructor(name: string, settings: CircuitSettings) {
    this.#name = name;
    this.#settings = settings;
    this.phase = { state: 'CLOSED', evidence: new Evidence(settings) };
  }

  /** Half-opens when the break is over by the clock but its timer has not fired, because the event loop was blocked. */
  catchUp(): Phase {
    if (this.phase.state === 'OPEN' && this.#settings.clock.now() >= this.phase.untilMs) {
      this.#engine?.release();
      this.#halfOpen();
    }
    return this.phase;
  }

  /**
   * Counts the outcome of a call that began in `phase`. False when that period is over, so that the outcome has no
   * effect.
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
    this.#enter({ state: 'CLOSED', evidence: new Evidence(this.#settings) }, ['closed', { name: this.#name }]);
  }

  /** Clears the timer and rejects every later call. */
  shutdown(): void {
    this.shutDown = true;
    this.#engine?.release();
    const { phase } = this;
    this.phase = { state: 'ISOLATED', cause: undefined };
    if (phase.state === 'HALF_OPEN') phase.trial.end();
    this.events?.clear();
  }

  #weigh(evidence: Evidence, verdict: Verdict, slow: boolean, nowMs: number, error: unknown, result: unknown): void {
    if (verdict === 'neutral') return;
    const broken = evidence.record(nowMs, verdict === 'failure', slow);
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
    const askedMs = failure === undefined ? undefined : answerNow(this.#settings.retryAfterMs, failure, undefined);
    // A callback of the user ran. A command that it gave wins over this outcome.
    if (this.phase !== before) return;
    if (reason !== 'manual') this.consecutiveBreaks += 1;
    this.opened += 1;
    const durationMs = breakDurationMs(Math.max(1, this.consecutiveBreaks), askedMs, this.#settings);
    const sinceMs = this.#settings.clock.now();
    this.#engine ??= new OpossumEngine(() => this.#halfOpen());
    this.#engine.open(durationMs);
    const untilMs = sinceMs + durationMs;
    const opened = { name: this.#name, reason, retryAfterMs: durationMs, cause: error };
    this.#enter({ state: 'OPEN', sinceMs, untilMs, cause: error }, ['opened', opened]);
  }

  #halfOpen(): void {
    const cause = this.phase.state === 'CLOSED' ? undefined : this.phase.cause;
    const { halfOpenMaxCalls, halfOpenSuccessRatio } = this.#settings;
    const trial = new HalfOpenTrial(halfOpenMaxCalls, halfOpenSuccessRatio);
    this.#enter({ state: 'HALF_OPEN', trial, cause }, ['halfOpened', { name: this.#name }]);
  }

  #enter(next: Phase, event: EventOf<CircuitBreakerEvents>): void {
    const before = this.phase;
    const from = before.state;
    this.phase = next;
    if (before.state === 'HALF_OPEN') before.trial.end();
    if (this.events === undefined || from === next.state) return;
    this.events.emitAll(event, ['stateChanged', { name: this.#name, from, to: next.state }]);
  }
}
