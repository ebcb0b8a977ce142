import { describe, expect, it, vi } from 'vitest';
import { type ThingHooks, useThingPools } from './thing-pool.fixture.ts';

const makePool = useThingPools();

describe('validation', () => {
  const bad: [string, NonNullable<ThingHooks['validate']>][] = [
    ['says no', () => false],
    ['says no later', async () => false],
    [
      'throws',
      () => {
        throw new Error('bad');
      },
    ],
    ['rejects', () => Promise.reject(new Error('bad'))],
    ['answers no boolean', () => 'yes' as unknown as boolean],
  ];
  it.each(bad)('on borrow replaces a resource when it %s', async (_, validate) => {
    const { pool, destroy } = makePool({ validate }, { maxSize: 1 });
    expect(await pool.use(({ id }) => id)).toBe(1);
    expect(await pool.use(({ id }) => id)).toBe(2);
    expect(destroy).toHaveBeenCalledWith({ id: 1 });
    expect(pool.getStats()).toMatchObject({ retired: { invalid: 1 }, size: 1 });
  });

  it('in the background looks at the others at once when one failed, for they may all hang', async () => {
    const validate: ThingHooks['validate'] = (_thing, { phase }) => phase === 'borrow' || new Promise(() => {});
    const { pool, clock } = makePool(
      { validate },
      { maxSize: 6, minSize: 6, validateTimeoutMs: 1_000, healthCheckInterval: 10_000 },
    );
    await pool.warmUp();
    await clock.advance(10_000);
    await clock.advance(1_000);
    await clock.advance(1_000);
    expect(pool.getStats().retired.invalid).toBe(6);
  });

  it('on borrow takes no longer than validateTimeoutMs', async () => {
    const { pool, clock } = makePool({ validate: () => new Promise(() => {}) }, { maxSize: 1, validateTimeoutMs: 40 });
    await pool.use(() => 1);
    const second = pool.use(({ id }) => id);
    await clock.advance(40);
    expect(await second).toBe(2);
  });

  it('in the background replaces what fails and keeps minSize', async () => {
    const broken = new Set<number>();
    const phases: string[] = [];
    const validate = vi.fn<NonNullable<ThingHooks['validate']>>(async ({ id }, { phase }) => {
      phases.push(phase);
      return !broken.has(id);
    });
    const { pool, clock, destroy } = makePool({ validate }, { minSize: 2, healthCheckInterval: 1_000 });
    await pool.warmUp();
    broken.add(1);
    await clock.advance(1_000);
    expect(destroy.mock.calls).toEqual([[{ id: 1 }]]);
    expect(pool.getStats()).toMatchObject({ size: 2, idle: 2, retired: { invalid: 1 } });
    expect(phases).toEqual(['background', 'background']);
  });

  it('in the background leaves alone what was used within the interval', async () => {
    const validate = vi.fn<NonNullable<ThingHooks['validate']>>(() => true);
    const { pool, clock } = makePool({ validate }, { healthCheckInterval: 1_000 });
    for (let round = 0; round < 5; round += 1) {
      await pool.use(() => 1);
      await clock.advance(900);
    }
    expect(validate.mock.calls.filter(([, { phase }]) => phase === 'background')).toHaveLength(0);
  });

  it('in the background delays nobody who comes meanwhile', async () => {
    const { pool, clock } = makePool(
      { validate: (_thing, { phase }) => phase === 'borrow' || new Promise<boolean>(() => {}) },
      { healthCheckInterval: 1_000, validateTimeoutMs: 500 },
    );
    await pool.use(() => 1);
    await clock.advance(1_000);
    expect(pool.getStats().checking).toBe(1);
    expect(await pool.use(({ id }) => id)).toBe(2);
  });

  it('aborts its background check when its time is up', async () => {
    let aborted = false;
    const { pool, clock } = makePool(
      {
        validate: (_thing, { phase, signal }) => {
          if (phase === 'borrow') return true;
          signal?.addEventListener('abort', () => {
            aborted = true;
          });
          return new Promise<boolean>(() => {});
        },
      },
      { healthCheckInterval: 1_000, validateTimeoutMs: 500 },
    );
    await pool.use(() => 1);
    await clock.advance(1_500);
    expect(aborted).toBe(true);
    expect(pool.getStats()).toMatchObject({ retired: { invalid: 1 } });
  });
});

describe('reset', () => {
  it('cleans a resource before its next user gets it', async () => {
    const order: string[] = [];
    const { pool } = makePool(
      {
        reset: async ({ id }) => {
          await Promise.resolve();
          order.push(`reset ${id}`);
        },
      },
      { maxSize: 1 },
    );
    await Promise.all([pool.use(() => order.push('first')), pool.use(() => order.push('second'))]);
    expect(order.slice(0, 3)).toEqual(['first', 'reset 1', 'second']);
  });

  it.each<[string, NonNullable<ThingHooks['reset']>]>([
    [
      'throws',
      () => {
        throw new Error('dirty');
      },
    ],
    ['rejects', () => Promise.reject(new Error('dirty'))],
    ['hangs', () => new Promise(() => {})],
  ])('destroys the resource when it %s', async (_, reset) => {
    const { pool, clock } = makePool({ reset }, { maxSize: 1, resetTimeoutMs: 30 });
    await pool.use(() => 1);
    const next = pool.use(({ id }) => id);
    await clock.advance(30);
    expect(await next).toBe(2);
    expect(pool.getStats().retired['reset-failed']).toBeGreaterThanOrEqual(1);
  });
});
