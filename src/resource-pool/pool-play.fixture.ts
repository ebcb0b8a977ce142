import { getEventListeners } from 'node:events';
import { expect } from 'vitest';
import { DescribeError } from '../errors/index.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { later } from './later.fixture.ts';
import type { Lease } from './lease.ts';
import type { Hook, Step, Story } from './pool-story.fixture.ts';
import { ResourcePool } from './resource-pool.ts';

interface Thing {
  readonly id: number;
}

/** Plays a story on a pool and checks after every step what must always hold. */
export class Play {
  readonly clock = new ManualClock();
  readonly pool: ResourcePool<Thing>;
  readonly #story: Story;
  readonly #leases: { readonly lease: Lease<Thing>; readonly thing: Thing }[] = [];
  readonly #ended: Lease<Thing>[] = [];
  readonly #controllers: AbortController[] = [];
  readonly #held = new Set<Thing>();
  readonly #made = new Set<Thing>();
  readonly #destroyed = new Set<Thing>();
  readonly #suspects: (() => void)[] = [];
  readonly #wrong: unknown[] = [];
  #hookIndex = 0;
  #meddled = 0;
  #nextId = 1;
  asked = 0;
  settled = 0;

  constructor(told: Story, acquireTimeoutMs = 50) {
    this.#story = told;
    this.pool = new ResourcePool<Thing>({
      factory: {
        create: ({ suspect }) => {
          this.#suspects.push(suspect);
          return this.#answer(() => this.#make(), undefined as unknown as Thing);
        },
        destroy: (thing) => {
          expect(this.#made.has(thing)).toBe(true);
          expect(this.#destroyed.has(thing)).toBe(false);
          this.#destroyed.add(thing);
          return this.#answer(() => undefined, undefined);
        },
        ...(told.validates && { validate: () => this.#answer(() => true, false) }),
        ...(told.resets && { reset: () => this.#answer(() => undefined, undefined) }),
      },
      maxSize: told.maxSize,
      minSize: Math.min(told.minShare, told.maxSize),
      maxWaiting: told.maxWaiting,
      maxUsageCount: told.maxUsageCount,
      maxLifetimeMs: told.maxLifetimeMs,
      leakThresholdMs: told.tracksLeaks ? 25 : undefined,
      acquireTimeoutMs,
      createTimeoutMs: 40,
      validateTimeoutMs: 40,
      resetTimeoutMs: 40,
      destroyTimeoutMs: 40,
      idleTimeoutMs: 90,
      healthCheckInterval: 70,
      createBackoff: { initialDelayMs: 5, maxDelayMs: 20 },
      isBroken: (error) => String(error).includes('broken'),
      clock: this.clock,
    });
    if (told.meddling.length > 0) {
      for (const name of ['created', 'createFailed', 'retired', 'destroyFailed', 'acquireTimedOut'] as const) {
        this.pool.on(name, () => this.#meddle());
      }
    }
  }

  /** Calls the pool as a listener or a hook might, in the middle of the pool's own work. */
  #meddle(): void {
    const { meddling } = this.#story;
    const what = meddling[this.#meddled];
    this.#meddled += 1;
    if (what === 'abort')
      this.#controllers[this.#meddled % Math.max(1, this.#controllers.length)]?.abort(
        new Error('aborted by the story'),
      );
    else if (what === 'release') this.#giveBack(this.#meddled, this.#meddled % 2 === 0);
    else if (what === 'destroy') this.#watch(this.pool.destroy(new Error('destroyed by the story')));
    else if (what === 'close') this.#watch(this.pool.close({ timeoutMs: 60 }));
    else if (what === 'acquire') this.#acquire(0, undefined);
  }

  /** Plays a story in which nothing hangs, gives everything back, and returns how many acquires timed out. */
  async runToRest(): Promise<number> {
    for (const one of this.#story.steps) {
      if (['drain', 'close', 'destroy', 'abort'].includes(one.do)) continue;
      await this.#step(one.do === 'acquire' ? { ...one, timeoutMs: undefined } : one);
    }
    for (let round = 0; round < 60 && this.settled < this.asked; round += 1) {
      while (this.#leases.length > 0) this.#giveBack(0, false);
      await this.clock.advance(100);
    }
    const { timedOut } = this.pool.getStats();
    expect(this.settled, 'everybody was served').toBe(this.asked);
    const ended = this.pool.destroy();
    await this.clock.advance(200);
    await ended;
    return timedOut;
  }

  async run(): Promise<void> {
    for (const one of this.#story.steps) {
      await this.#step(one);
      this.#check();
    }
    await this.#end();
  }

  #make(): Thing {
    const thing = { id: this.#nextId };
    this.#nextId += 1;
    this.#made.add(thing);
    return thing;
  }

  #answer<Value>(good: () => Value, bad: Value): Value | Promise<Value> {
    const { hooks } = this.#story;
    const chosen = hooks[this.#hookIndex % hooks.length] as Hook;
    this.#hookIndex += 1;
    this.#meddle();
    switch (chosen.does) {
      case 'ok':
        return good();
      case 'later':
        return later(this.clock, chosen.ms, good);
      case 'no':
        return bad;
      case 'no later':
        return later(this.clock, chosen.ms, () => {
          throw new Error('late no');
        });
      case 'throw':
        throw new Error('hook threw');
      case 'hang':
        return new Promise(() => {});
    }
  }

  #hold(thing: Thing): void {
    expect(this.#held.has(thing), 'leased twice').toBe(false);
    expect(this.#destroyed.has(thing), 'leased after its end').toBe(false);
    this.#held.add(thing);
  }

  #watch(promise: Promise<unknown>): void {
    this.asked += 1;
    promise.then(
      () => {
        this.settled += 1;
      },
      (error: unknown) => {
        this.settled += 1;
        if (!DescribeError.is(error) && !/aborted by|use (?:threw|ends)/.test(String(error))) this.#wrong.push(error);
      },
    );
  }

  #acquire(priority: number, timeoutMs: number | undefined): void {
    const controller = new AbortController();
    this.#controllers.push(controller);
    const acquired = this.pool.acquire({ priority, timeoutMs, signal: controller.signal });
    this.#watch(
      acquired.then((lease) => {
        const thing = lease.resource;
        this.#hold(thing);
        this.#leases.push({ lease, thing });
      }),
    );
  }

  async #step(one: Step): Promise<void> {
    switch (one.do) {
      case 'acquire':
        this.#acquire(one.priority, one.timeoutMs);
        return;
      case 'use':
        this.#watch(this.pool.use((thing) => this.#use(thing, one.ms, one.ends)));
        return;
      case 'release':
      case 'destroyLease':
        this.#giveBack(one.at, one.do === 'destroyLease');
        return;
      case 'releaseTwice': {
        const lease = this.#ended[one.at % Math.max(1, this.#ended.length)];
        if (lease !== undefined) expect(() => lease.release()).toThrowError(/after its end/);
        return;
      }
      case 'abort':
        this.#controllers[one.at % Math.max(1, this.#controllers.length)]?.abort(new Error('aborted by the story'));
        return;
      case 'advance':
        await this.clock.advance(one.ms);
        return;
      case 'flush':
        await this.clock.flush();
        return;
      case 'warmUp':
        this.#watch(this.pool.warmUp());
        return;
      case 'checkIdle':
        this.#watch(this.pool.checkIdle());
        return;
      case 'suspect':
        this.#suspects[one.at % Math.max(1, this.#suspects.length)]?.();
        return;
      case 'drain':
        this.#watch(this.pool.drain({ timeoutMs: 30 }));
        return;
      case 'close':
        this.#watch(this.pool.close({ timeoutMs: 60 }));
        return;
      case 'destroy':
        this.#watch(this.pool.destroy(new Error('destroyed by the story')));
    }
  }

  #use(thing: Thing, ms: number, ends: string): Promise<void> {
    this.#hold(thing);
    if (ends === 'throw') {
      this.#held.delete(thing);
      throw new Error('use threw');
    }
    return later(this.clock, ms, () => {
      this.#held.delete(thing);
      if (ends !== 'well') throw new Error(`use ends in ${ends}`);
    });
  }

  #giveBack(at: number, destroy: boolean): void {
    const [held] = this.#leases.splice(at % Math.max(1, this.#leases.length), 1);
    if (held === undefined) return;
    const { lease, thing } = held;
    const giveBack = () => (destroy ? lease.destroy() : lease.release());
    const takenBack = this.#destroyed.has(thing) || this.pool.getStats().state === 'closed';
    if (takenBack) expect(giveBack).toThrowError(/taken the resource back/);
    else giveBack();
    this.#held.delete(thing);
    this.#ended.push(lease);
  }

  #check(): void {
    const { size, idle, borrowed, creating, checking, destroying, maxSize, waiting } = this.pool.getStats();
    expect(borrowed + idle + creating).toBeLessThanOrEqual(maxSize);
    expect(size).toBeLessThanOrEqual(maxSize);
    expect(idle + borrowed + creating + destroying).toBeLessThanOrEqual(size);
    const lent = [...this.#held].filter((thing) => !this.#destroyed.has(thing));
    expect(lent.length).toBeLessThanOrEqual(borrowed);
    expect(this.#wrong).toEqual([]);
    expect(waiting).toBeLessThanOrEqual(this.asked - this.settled);
    if (waiting > checking) expect(idle, 'nobody waits while a resource is idle').toBe(0);
  }

  async #end(): Promise<void> {
    const { ending } = this.#story;
    if (ending === 'destroy') {
      const ended = this.pool.destroy(new Error('the end'));
      await this.clock.advance(200);
      await ended;
    } else {
      if (ending === 'drain and close') this.#watch(this.pool.drain({ timeoutMs: 30 }));
      const closed = this.pool.close({ timeoutMs: 60 });
      if (this.#leases.length % 2 === 0) while (this.#leases.length > 0) this.#giveBack(0, false);
      await this.clock.advance(400);
      await closed;
    }
    await this.clock.advance(400);
    expect(this.#wrong).toEqual([]);
    expect(this.settled, 'every promise settled once').toBe(this.asked);
    const nothingLeft = { size: 0, idle: 0, borrowed: 0, waiting: 0 };
    expect(this.pool.getStats()).toMatchObject({ state: 'closed', ...nothingLeft });
    expect(this.clock.pendingTimers, 'timers after the end').toBe(0);
    for (const { signal } of this.#controllers) expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect([...this.#destroyed].sort(byId)).toEqual([...this.#made].sort(byId));
  }
}

const byId = (left: Thing, right: Thing) => left.id - right.id;
