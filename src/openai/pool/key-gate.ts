import { exponentialDelay } from '../../internal/backoff.ts';
import type { Clock } from '../../internal/clock.ts';
import { type ProbeVerdict, refusedKey } from './connection-probe.ts';

/** A key that is refused by mistake works again soon, one that was withdrawn never does: 5 s, doubling to 5 minutes. */
const PROBES = { initialDelayMs: 5_000, maxDelayMs: 300_000 };

/** Keeps calls back while the API refuses the key, until it may be asked again. */
export class KeyGate {
  readonly #clock: Clock;
  #refusal: unknown;
  #keyError: unknown;
  #lastDeath: unknown;
  #inARow = 0;
  #probeAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until the API may be asked again; 0 while nothing is kept back. */
  get closedForMs(): number {
    return this.#inARow === 0 ? 0 : Math.max(0, this.#probeAtMs - this.#clock.now());
  }

  /** @throws `DESCRIBE_AUTH` while calls are kept back. */
  check(): void {
    const { closedForMs } = this;
    if (closedForMs > 0) throw refusedKey(this.#refusal, closedForMs);
  }

  /** Takes in what a health check found; false when its connection does not work. */
  judge(verdict: ProbeVerdict): boolean {
    this.#keyError = verdict.kind === 'keyless' ? verdict.error : undefined;
    if (verdict.kind === 'alive') this.#accepted();
    if (verdict.kind === 'unauthorized') this.#refused(verdict.error);
    if (verdict.kind === 'dead') this.#lastDeath = verdict.error;
    return verdict.kind !== 'dead';
  }

  /** What the function that gives the key failed with at the last health check. The next call asks it again. */
  get keyError(): unknown {
    return this.#keyError;
  }

  /** What the last connection that did not work failed with. */
  get lastDeath(): unknown {
    return this.#lastDeath;
  }

  /** @throws `DESCRIBE_AUTH` while calls are kept back, or when the last health check could not get the key. */
  checkKey(): void {
    this.check();
    if (this.#keyError !== undefined) throw this.#keyError;
  }

  /** A health check was refused. Those that ran beside it are part of it. */
  #refused(error: unknown): void {
    if (this.closedForMs > 0) return;
    this.#refusal = error;
    this.#inARow += 1;
    this.#probeAtMs = this.#clock.now() + exponentialDelay(this.#inARow, PROBES);
  }

  /** A health check was answered. One that ran beside a refused one says nothing of the next. */
  #accepted(): void {
    if (this.closedForMs === 0) this.#inARow = 0;
  }
}
