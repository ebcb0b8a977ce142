import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../manual-clock.ts';
import { ApiError } from './api-error.ts';
import { formatGoDuration } from './go-duration.ts';
import { QuotaBucket } from './quota-bucket.ts';
import { type FakeLimits, QuotaGroup } from './quota-group.ts';
import { QuotaGroups } from './quota-groups.ts';

const groupOf = (limits: FakeLimits, clock = new ManualClock()) => ({
  clock,
  group: new QuotaGroup('g', limits, clock),
});
const one = { requests: 1, tokens: 0, images: 0 };
const rejectionOf = (admit: () => void): ApiError | undefined => {
  try {
    admit();
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
};

describe('QuotaBucket', () => {
  it('never gives more than its burst and the refill of the time gone by', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6000 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 1, max: 40 })), {
          maxLength: 40,
        }),
        async (limit, steps) => {
          const clock = new ManualClock();
          const burst = Math.max(1, limit / 60);
          const bucket = new QuotaBucket(limit, 60_000, burst, clock);
          let taken = 0;
          for (const [waitMs, tries] of steps) {
            await clock.advance(waitMs);
            for (let index = 0; index < tries; index += 1) {
              if (bucket.waitMs(1) > 0) continue;
              bucket.take(1);
              taken += 1;
            }
          }
          expect(taken).toBeLessThanOrEqual(burst + (clock.now() * limit) / 60_000 + 1e-6);
        },
      ),
      { seed: 20_261_122, numRuns: 50 },
    );
  });

  it('admits exactly when its wait is over, not a moment before', async () => {
    const clock = new ManualClock();
    const bucket = new QuotaBucket(600, 60_000, 10, clock);
    bucket.take(10);
    expect(bucket.waitMs(3)).toBeCloseTo(300);
    await clock.advance(299);
    expect(bucket.waitMs(3)).toBeGreaterThan(0);
    await clock.advance(1);
    expect(bucket.waitMs(3)).toBe(0);
  });

  it('lets through what is larger than itself when full, and makes the next one wait for it', async () => {
    const clock = new ManualClock();
    const bucket = new QuotaBucket(600, 60_000, 10, clock);
    expect(bucket.waitMs(30)).toBe(0);
    bucket.take(30);
    expect(bucket.waitMs(1)).toBeCloseTo(2100);
  });
});

describe('QuotaGroup', () => {
  it('answers 429 with the real headers, and admits again after the wait', async () => {
    const { group, clock } = groupOf({ requestsPerMinute: 120 });
    group.admit(one, 'gpt-4o');
    group.admit(one, 'gpt-4o');
    const error = rejectionOf(() => group.admit(one, 'gpt-4o'));
    expect(error?.status).toBe(429);
    expect(error?.body).toMatchObject({ type: 'requests', param: null, code: 'rate_limit_exceeded' });
    expect(error?.body.message).toContain('requests per min (RPM): Limit 120');
    expect(error?.headers).toMatchObject({
      'retry-after': '1',
      'retry-after-ms': '500',
      'x-ratelimit-limit-requests': '120',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '1s',
    });
    await clock.advance(500);
    group.admit(one, 'gpt-4o');
  });

  it('takes nothing from any limit when one of them is full', () => {
    const { group } = groupOf({ requestsPerMinute: 600, tokensPerMinute: 6000 });
    group.admit({ requests: 1, tokens: 100, images: 0 }, 'm');
    expect(rejectionOf(() => group.admit({ requests: 1, tokens: 1, images: 0 }, 'm'))?.body.type).toBe('tokens');
    expect(group.headers()['x-ratelimit-remaining-requests']).toBe('9');
  });

  it('turns down for good what is larger than a whole limit', () => {
    const { group } = groupOf({ tokensPerMinute: 6000 });
    const error = rejectionOf(() => group.admit({ requests: 1, tokens: 6001, images: 0 }, 'm'));
    expect(error?.body.message).toMatch(/^Request too large/);
    expect(error?.headers['retry-after']).toBeUndefined();
  });

  it('limits images, days and concurrency', async () => {
    const { group, clock } = groupOf({ imagesPerMinute: 60, requestsPerDay: 3, maxConcurrency: 1 });
    group.admit({ requests: 1, tokens: 0, images: 1 }, 'm');
    const leave = group.enter();
    expect(rejectionOf(() => group.admit({ requests: 1, tokens: 0, images: 1 }, 'm'))?.body.type).toBe('images');
    await clock.advance(1000);
    expect(rejectionOf(() => group.admit(one, 'm'))?.body.message).toContain('concurrent');
    leave();
    leave();
    group.admit(one, 'm');
    const leaveAgain = group.enter();
    expect(rejectionOf(() => group.admit(one, 'm'))?.body.message).toContain('concurrent');
    leaveAgain();
    group.admit(one, 'm');
    const error = rejectionOf(() => group.admit(one, 'm'));
    expect(error?.body.message).toContain('requests per day (RPD): Limit 3');
    expect(Number(error?.headers['retry-after'])).toBeGreaterThan(20_000);
  });

  it('starves a client that resends without pause, when rejected requests count', async () => {
    const { group, clock } = groupOf({ requestsPerMinute: 60, countRejected: true });
    group.admit(one, 'm');
    for (let index = 0; index < 10; index += 1) {
      await clock.advance(900);
      expect(rejectionOf(() => group.admit(one, 'm'))?.status).toBe(429);
    }
    await clock.advance(1000);
    group.admit(one, 'm');
  });
});

describe('QuotaGroups', () => {
  const clock = new ManualClock();

  it('shares a group among its keys, and keeps models apart unless it names them', () => {
    const groups = new QuotaGroups(
      [
        { name: 'family', apiKeys: ['a', 'b'], models: ['gpt-4o', 'gpt-4o-mini'], limits: {} },
        { name: 'rest', limits: {} },
      ],
      clock,
    );
    expect(groups.find('a', 'gpt-4o')).toBe(groups.find('b', 'gpt-4o-mini'));
    expect(groups.find('a', 'o3')).toBe(groups.find('c', 'o3'));
    expect(groups.find('a', 'o3')).not.toBe(groups.find('a', 'o1'));
    expect(groups.find('a', 'gpt-4o')?.name).toBe('family');
    expect(groups.find('c', 'gpt-4o')?.name).toBe('rest');
  });

  it('has no limits where no group fits', () => {
    expect(new QuotaGroups([], clock).find('a', 'gpt-4o')).toBeUndefined();
  });
});

describe('formatGoDuration', () => {
  it.each([
    [0, '0s'],
    [0.2, '1ms'],
    [12, '12ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [360_000, '6m0s'],
    [3_723_500, '1h2m3.5s'],
    [86_400_000, '24h0m0s'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatGoDuration(ms)).toBe(text);
  });
});
