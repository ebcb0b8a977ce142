import type { Emitter } from '../../internal/emitter.ts';
import type { PoolSettings } from '../options/resource-pool-options.ts';
import type { ResourcePoolEvents } from '../reports/resource-pool-events.ts';
import type { PoolCounters } from '../reports/resource-pool-stats.ts';
import { BackgroundTask } from './background-task.ts';
import { EarlyChecks } from './early-checks.ts';
import type { Slot } from './slot.ts';
import type { SlotDispatcher } from './slot-dispatcher.ts';

/** Runs of the reaper within one idle timeout or lifetime. It bounds how late an eviction can be. */
const REAPER_RUNS_PER_TIMEOUT = 4;
const LONGEST_REAPER_INTERVAL_MS = 30_000;
/** The interval of early checks in a pool without regular ones. */
const DEFAULT_CHECK_INTERVAL_MS = 30_000;
/** Share of an interval by which a check may come early, so that one run looks at several. */
const EARLY_RATIO = 0.1;

/** The background work of a pool: shrink, replace old resources, restore `minSize`, check health, find leaks. */
export class PoolUpkeep<Resource> {
  readonly #slots: SlotDispatcher<Resource>;
  readonly #counters: PoolCounters;
  readonly #events: Emitter<ResourcePoolEvents>;
  readonly #settings: PoolSettings<Resource>;
  readonly #tasks: BackgroundTask[] = [];
  /** Checks under way, those of the background and those of `checkAllIdle`. */
  readonly #checks = new Set<Promise<boolean>>();
  readonly #early: EarlyChecks<Resource>;

  constructor(
    slots: SlotDispatcher<Resource>,
    counters: PoolCounters,
    events: Emitter<ResourcePoolEvents>,
    settings: PoolSettings<Resource>,
  ) {
    this.#slots = slots;
    this.#counters = counters;
    this.#events = events;
    this.#settings = settings;
    const { clock, factory, idleTimeoutMs, maxLifetimeMs, leakThresholdMs } = settings;
    const intervalMs = factory.validate === undefined ? undefined : settings.healthCheckInterval;
    const shortestMs = Math.min(idleTimeoutMs, maxLifetimeMs ?? Number.POSITIVE_INFINITY);
    const reapEveryMs = Math.min(shortestMs / REAPER_RUNS_PER_TIMEOUT, LONGEST_REAPER_INTERVAL_MS);
    this.#tasks.push(
      new BackgroundTask(
        clock,
        () => Math.max(1, reapEveryMs),
        () => this.#reap(),
      ),
    );
    if (intervalMs !== undefined) {
      const untilDueMs = () => this.#untilCheckMs(intervalMs);
      this.#tasks.push(new BackgroundTask(clock, untilDueMs, () => this.#checkDue(intervalMs)));
    }
    if (leakThresholdMs !== undefined) {
      const lookEveryMs = Math.max(1, leakThresholdMs / REAPER_RUNS_PER_TIMEOUT);
      this.#tasks.push(
        new BackgroundTask(
          clock,
          () => lookEveryMs,
          () => this.#findLeaks(leakThresholdMs),
        ),
      );
    }
    this.#early = new EarlyChecks({
      clock,
      intervalMs: intervalMs ?? DEFAULT_CHECK_INTERVAL_MS,
      idle: slots.idle,
      check: (slot) => this.#check(slot),
    });
  }

  start(): void {
    for (const task of this.#tasks) task.start();
  }

  stop(): void {
    for (const task of this.#tasks) task.stop();
    this.#early.stop();
  }

  /** Has a slot that may be dead checked soon. When it is lent, its user will notice. */
  suspect(slot: Slot<Resource>): void {
    if (slot.state !== 'idle' && slot.state !== 'checking') return;
    slot.suspected = true;
    this.#early.arm();
  }

  /** Counts the slots that are being checked already too. */
  async checkAllIdle(): Promise<{ readonly checked: number; readonly failed: number }> {
    const { clock, validateTimeoutMs } = this.#settings;
    // The timers of checks do not keep the process alive, but here a caller waits for them.
    const hold = clock.setTimeout(() => {}, validateTimeoutMs);
    for (const slot of [...this.#slots.idle]) void this.#check(slot);
    const verdicts = await Promise.all(this.#checks);
    clock.clearTimeout(hold);
    return { checked: verdicts.length, failed: verdicts.filter((valid) => !valid).length };
  }

  /** Milliseconds until the first idle slot is due. A slot that is given back meanwhile is due later. */
  #untilCheckMs(intervalMs: number): number {
    const now = this.#settings.clock.now();
    let dueAtMs = now + intervalMs;
    for (const slot of this.#slots.idle) dueAtMs = Math.min(dueAtMs, quietSinceMs(slot) + intervalMs);
    return Math.max(dueAtMs - now, intervalMs * EARLY_RATIO);
  }

  /**
   * Validates the idle slots that were neither used nor checked for about an interval, and never later than that. It
   * checks them one by one, so that the others can be lent. After the first failure it checks all at once: the others
   * may fail too, each after its whole timeout.
   */
  async #checkDue(intervalMs: number): Promise<void> {
    const quietUntilMs = this.#settings.clock.now() - intervalMs * (1 - EARLY_RATIO);
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
    const { clock, minSize, idleTimeoutMs } = this.#settings;
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
    const now = this.#settings.clock.now();
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
