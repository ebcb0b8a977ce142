import { type Clock, setBackgroundInterval } from '../../internal/clock.ts';
import { Emitter, type Listener, type Unsubscribe } from '../../internal/emitter.ts';
import type { HealthCheck, HealthCheckName } from './health-checks.ts';

/** A check got worse or better. Emitted once for each change. */
export interface PerformanceAlert extends HealthCheck {
  readonly check: HealthCheckName;
  /** Whether the check is worse than before; `false` when it recovered, fully or in part. */
  readonly worsened: boolean;
  readonly previousStatus: HealthCheck['status'];
}

type Checks = Readonly<Partial<Record<HealthCheckName, HealthCheck>>>;

const SEVERITY = { healthy: 0, degraded: 1, unhealthy: 2 } as const;

/** Notifies listeners of changes of the checks. It checks by itself only while there is a listener. */
export class AlertWatch {
  readonly #clock: Clock;
  readonly #intervalMs: number | undefined;
  readonly #look: () => void;
  readonly #events = new Emitter<{ alert: PerformanceAlert }>();
  readonly #statuses = new Map<HealthCheckName, HealthCheck['status']>();
  #stop: (() => void) | undefined;

  /** `look` runs the checks and calls `update`. Without an interval, nothing calls it by itself. */
  constructor(clock: Clock, intervalMs: number | undefined, look: () => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#look = look;
  }

  on(listener: Listener<PerformanceAlert>): Unsubscribe {
    const off = this.#events.on('alert', listener);
    if (this.#intervalMs !== undefined) this.#stop ??= setBackgroundInterval(this.#clock, this.#look, this.#intervalMs);
    const unsubscribe = () => {
      off();
      if (!this.#events.has('alert')) this.#stopLooking();
    };
    return Object.assign(unsubscribe, { [Symbol.dispose]: unsubscribe });
  }

  update(checks: Checks): void {
    const changed: PerformanceAlert[] = [];
    for (const check of Object.keys(checks) as HealthCheckName[]) {
      const result = checks[check];
      const previousStatus = this.#statuses.get(check) ?? 'healthy';
      if (result === undefined || result.status === previousStatus) continue;
      this.#statuses.set(check, result.status);
      const worsened = SEVERITY[result.status] > SEVERITY[previousStatus];
      changed.push(Object.freeze({ check, ...result, worsened, previousStatus }));
    }
    for (const alert of changed) this.#events.emit('alert', alert);
  }

  close(): void {
    this.#stopLooking();
    this.#events.clear();
  }

  #stopLooking(): void {
    this.#stop?.();
    this.#stop = undefined;
  }
}
