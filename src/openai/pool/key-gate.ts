import { exponentialDelay } from '../../internal/backoff.ts';
import type { Clock } from '../../internal/clock.ts';
import { type ProbeVerdict, refusedKey } from './connection-probe.ts';

/** Delays between probes. A key that was refused by mistake works again soon, a withdrawn one never does. */
const PROBES = { initialDelayMs: 5_000, maxDelayMs: 300_000 };

/** Fails calls at once while the API refuses the key, until the next probe may be sent. */
export class KeyGate {
  readonly #clock: Clock;
  #refusal: unknown;
  /** Why the function gave no key at the last health check. The next call calls it again. */
  keyError: unknown;
  /** The error of the last connection that did not work. */
  lastDeath: unknown;
  /** Refusals in a row; nothing is held back while there are none. */
  refusals = 0;
  #probeAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until the key is tried again; 0 while it is not refused. */
  get closedForMs(): number {
    return this.refusals === 0 ? 0 : Math.max(0, this.#probeAtMs - this.#clock.now());
  }

  /** @throws `DESCRIBE_AUTH` while the key is refused. */
  check(): void {
    const { closedForMs } = this;
    if (closedForMs > 0) throw refusedKey(this.#refusal, closedForMs);
  }

  /** Records the result of a health check; false when its connection does not work. */
  judge(verdict: ProbeVerdict): boolean {
    this.keyError = verdict.kind === 'keyless' ? verdict.error : undefined;
    if (verdict.kind === 'alive') this.#accepted();
    if (verdict.kind === 'unauthorized') this.#refused(verdict.error);
    if (verdict.kind === 'dead') this.lastDeath = verdict.error;
    return verdict.kind !== 'dead';
  }

  /** @throws `DESCRIBE_AUTH` while the key is refused, or when the last health check could not get the key. */
  checkKey(): void {
    this.check();
    if (this.keyError !== undefined) throw this.keyError;
  }

  /** A health check was refused. Concurrent ones count with it. */
  #refused(error: unknown): void {
    if (this.closedForMs > 0) return;
    this.#refusal = error;
    this.refusals += 1;
    this.#probeAtMs = this.#clock.now() + exponentialDelay(this.refusals, PROBES);
  }

  /** A health check succeeded. It proves nothing if another one was refused at the same time. */
  #accepted(): void {
    if (this.closedForMs === 0) this.refusals = 0;
  }
}
