import type { Clock } from '../internal/clock.ts';
import type { Emitter } from '../internal/emitter.ts';
import { BackgroundTask } from './background-task.ts';
import type { ResourcePoolEvents } from './resource-pool-events.ts';
import type { PoolCounters } from './resource-pool-stats.ts';
import type { Slot } from './slot.ts';
import type { SlotDispatcher } from './slot-dispatcher.ts';

export interface PoolUpkeepOptions {
  readonly clock: Clock;
  readonly minSize: number;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs: number | undefined;
  readonly healthCheckInterval: number | undefined;
  readonly leakThresholdMs: number | undefined;
}

/** Times the reaper looks within one idle timeout or lifetime: how late an eviction can be. */
const REAPER_RUNS_PER_TIMEOUT = 4;
const LONGEST_REAPER_INTERVAL_MS = 30_000;

/** What a pool does in the background: shrink, replace the old, restore `minSize`, check health, find leaks. */
export class PoolUpkeep<Resource> {
  readonly #slots: SlotDispatcher<Resource>;
  readonly #counters: PoolCounters;
  readonly #events: Emitter<ResourcePoolEvents>;
  readonly #options: PoolUpkeepOptions;
  readonly #tasks: BackgroundTask[] = [];
  /** Checks under way, whoever asked for them. */
  readonly #checks = new Set<Promise<boolean>>();
  #started = false;

  constructor(
    slots: SlotDispatcher<Resource>,
    counters: PoolCounters,
    events: Emitter<ResourcePoolEvents>,
    options: PoolUpkeepOptions,
  ) {
    this.#slots = slots;
    this.#counters = counters;
    this.#events = events;
    this.#options = options;
    const { clock, idleTimeoutMs, maxLifetimeMs, healthCheckInterval, leakThresholdMs } = options;
    const shortestMs = Math.min(idleTimeoutMs, maxLifetimeMs ?? Number.POSITIVE_INFINITY);
    const reapEveryMs = Math.min(shortestMs / REAPER_RUNS_PER_TIMEOUT, LONGEST_REAPER_INTERVAL_MS);
    this.#tasks.push(new BackgroundTask(clock, Math.max(1, reapEveryMs), () => this.#reap()));
    if (healthCheckInterval !== undefined) {
      this.#tasks.push(
        new BackgroundTask(clock, healthCheckInterval, () => this.checkIdle(healthCheckInterval)),
      );
    }
    if (leakThresholdMs !== undefined) {
      const lookEveryMs = Math.max(1, leakThresholdMs / REAPER_RUNS_PER_TIMEOUT);
      this.#tasks.push(new BackgroundTask(clock, lookEveryMs, () => this.#findLeaks(leakThresholdMs)));
    }
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (const task of this.#tasks) task.start();
  }

  stop(): void {
    this.#started = true;
    for (const task of this.#tasks) task.stop();
  }

  /**
   * Validates the idle slots that were neither used nor checked for `quietMs`: one after the other, so that the rest can
   * be lent, but all at once after the first that fails, for then the others may fail too, each after its whole time.
   */
  async checkIdle(quietMs: number): Promise<void> {
    const now = this.#options.clock.now();
    let failed = false;
    for (const slot of [...this.#slots.idle]) {
      if (now - Math.max(slot.idleSinceMs, slot.checkedAtMs) < quietMs) continue;
      if (slot.state !== 'idle') continue;
      const check = this.#check(slot);
      if (!failed && !(await check)) failed = true;
    }
    await Promise.all(this.#checks);
  }

  /** Those that are being checked already count too. */
  async checkAllIdle(): Promise<{ readonly checked: number; readonly failed: number }> {
    for (const slot of [...this.#slots.idle]) void this.#check(slot);
    const verdicts = await Promise.all(this.#checks);
    return { checked: verdicts.length, failed: verdicts.filter((valid) => !valid).length };
  }

  #check(slot: Slot<Resource>): Promise<boolean> {
    const check = this.#slots.check(slot).finally(() => this.#checks.delete(check));
    this.#checks.add(check);
    return check;
  }

  #reap(): void {
    const { clock, minSize, idleTimeoutMs } = this.#options;
    const now = clock.now();
    for (const slot of [...this.#slots.idle]) {
      if (slot.expiresAtMs <= now) this.#slots.retire(slot, 'lifetime');
      else if (this.#slots.keeper.live.size > minSize && slot.idleSinceMs + idleTimeoutMs <= now) {
        this.#slots.retire(slot, 'idle');
      }
    }
    this.#slots.pump();
  }

  #findLeaks(leakThresholdMs: number): void {
    const now = this.#options.clock.now();
    for (const slot of this.#slots.keeper.live) {
      const heldMs = now - slot.leasedAtMs;
      if (slot.state !== 'leased' || slot.leakReported || heldMs < leakThresholdMs) continue;
      slot.leakReported = true;
      this.#counters.leaked += 1;
      this.#events.emit('leaked', { heldMs, acquiredAt: slot.acquiredBy?.stack ?? '' });
    }
  }
}
