import type { Clock } from '../../internal/clock.ts';
import type { Emitter } from '../../internal/emitter.ts';
import type { ResourcePoolEvents } from '../resource-pool-events.ts';
import type { PoolCounters } from '../resource-pool-stats.ts';
import { BackgroundTask } from './background-task.ts';
import { EarlyChecks } from './early-checks.ts';
import type { Slot } from './slot.ts';
import type { SlotDispatcher } from './slot-dispatcher.ts';

export interface PoolUpkeepOptions {
  readonly clock: Clock;
  readonly minSize: number;
  readonly idleTimeoutMs: number;
  readonly validateTimeoutMs: number;
  readonly maxLifetimeMs: number | undefined;
  readonly healthCheckInterval: number | undefined;
  readonly leakThresholdMs: number | undefined;
}

/** Times the reaper looks within one idle timeout or lifetime: how late an eviction can be. */
const REAPER_RUNS_PER_TIMEOUT = 4;
const LONGEST_REAPER_INTERVAL_MS = 30_000;
/** Between early checks of a pool without regular ones. */
const DEFAULT_CHECK_INTERVAL_MS = 30_000;
/** Share of an interval by which a check may come early, so that one run looks at several. */
const EARLY_RATIO = 0.1;

/** What a pool does in the background: shrink, replace the old, restore `minSize`, check health, find leaks. */
export class PoolUpkeep<Resource> {
  readonly #slots: SlotDispatcher<Resource>;
  readonly #counters: PoolCounters;
  readonly #events: Emitter<ResourcePoolEvents>;
  readonly #options: PoolUpkeepOptions;
  readonly #tasks: BackgroundTask[] = [];
  /** Checks under way, whoever asked for them. */
  readonly #checks = new Set<Promise<boolean>>();
  readonly #early: EarlyChecks<Resource>;
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
        new BackgroundTask(
          clock,
          () => this.#untilCheckMs(healthCheckInterval),
          () => this.#checkDue(healthCheckInterval),
        ),
      );
    }
    this.#early = new EarlyChecks({
      clock,
      intervalMs: healthCheckInterval ?? DEFAULT_CHECK_INTERVAL_MS,
      idle: slots.idle,
      check: (slot) => this.#check(slot),
    });
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
    this.#early.stop();
  }

  /** Soon checks a slot that may be dead. When it is on loan, its user finds out. */
  suspect(slot: Slot<Resource>): void {
    if (slot.state !== 'idle' && slot.state !== 'checking') return;
    slot.suspected = true;
    this.#early.arm();
  }

  /** Those that are being checked already count too. */
  async checkAllIdle(): Promise<{ readonly checked: number; readonly failed: number }> {
    const { clock, validateTimeoutMs } = this.#options;
    // Checks hold the process by nothing, and here somebody waits for them.
    const hold = clock.setTimeout(() => {}, validateTimeoutMs);
    for (const slot of [...this.#slots.idle]) void this.#check(slot);
    const verdicts = await Promise.all(this.#checks);
    clock.clearTimeout(hold);
    return { checked: verdicts.length, failed: verdicts.filter((valid) => !valid).length };
  }

  /** Until the first idle slot is due. One that comes back meanwhile is due later than that. */
  #untilCheckMs(intervalMs: number): number {
    const now = this.#options.clock.now();
    let dueAtMs = now + intervalMs;
    for (const slot of this.#slots.idle) dueAtMs = Math.min(dueAtMs, quietSinceMs(slot) + intervalMs);
    return Math.max(dueAtMs - now, intervalMs * EARLY_RATIO);
  }

  /**
   * Validates the idle slots that were neither used nor checked for about an interval, and never later than that: one
   * after the other, so that the rest can be lent, but all at once after the first that fails, for then the others may
   * fail too, each after its whole time.
   */
  async #checkDue(intervalMs: number): Promise<void> {
    const quietUntilMs = this.#options.clock.now() - intervalMs * (1 - EARLY_RATIO);
    let failed = false;
    for (const slot of [...this.#slots.idle]) {
      if (slot.state !== 'idle' || quietSinceMs(slot) > quietUntilMs) continue;
      const check = this.#check(slot);
      if (!failed && !(await check)) failed = true;
    }
    await Promise.all(this.#checks);
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

const quietSinceMs = ({ idleSinceMs, checkedAtMs }: Pick<Slot<unknown>, 'idleSinceMs' | 'checkedAtMs'>): number =>
  Math.max(idleSinceMs, checkedAtMs);
