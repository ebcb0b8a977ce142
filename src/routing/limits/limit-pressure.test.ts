import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { QuotaLimiter } from '../quota/quota-limiter.ts';
import type { QuotaLimits } from '../quota/quota-limiter-options.ts';
import { jointPressure } from './limit-pressure.ts';
import type { RateLimitReading, RateLimitSnapshot } from './rate-limit-snapshot.ts';

function quotaOf(limits?: QuotaLimits) {
  const clock = new ManualClock();
  const quota = new QuotaLimiter({ name: 'q', clock, limits });
  const answer = (told: RateLimitSnapshot) => quota.take(100).answered({ limits: told });
  const refuse = (told: RateLimitSnapshot = {}) => quota.take(100).throttled({ limits: told });
  return { clock, quota, answer, refuse };
}

const many: RateLimitReading = { limit: 1e7, remaining: 9.99e6, resetMs: 60 };

describe('the pressure on a limit', () => {
  it('is none while nothing is known', () => {
    const unknown = { perMinute: undefined, usedRatio: 0, isLow: true, isThrottled: false };
    expect(quotaOf().quota.pressure).toEqual({ requests: unknown, tokens: unknown });
  });

  it('is the share of the limit that headers say is used up, and fades as the limit refills', async () => {
    const { clock, quota, answer } = quotaOf();
    answer({ requests: { limit: 60, remaining: 10, resetMs: 50_000 }, tokens: many });
    expect(quota.pressure.requests).toMatchObject({ perMinute: 60, isLow: false });
    expect(quota.pressure.requests.usedRatio).toBeCloseTo(50 / 60, 5);
    expect(quota.pressure.tokens.usedRatio).toBeCloseTo(0.001, 3);
    await clock.advance(20_000);
    expect(quota.pressure.requests.usedRatio).toBeCloseTo(30 / 60, 5);
  });

  it('is low but not used up where the bucket holds only a second of the limit', () => {
    const { quota, answer } = quotaOf();
    answer({ requests: { limit: 60, remaining: 0, resetMs: 1_000 } });
    expect(quota.pressure.requests.usedRatio).toBeLessThan(0.05);
    expect(quota.pressure.requests.isLow).toBe(true);
  });

  it("counts a day's limit by its day", () => {
    const { quota, answer } = quotaOf();
    answer({ requests: { limit: 200, remaining: 50, resetMs: 64_800_000 } });
    expect(quota.pressure.requests.usedRatio).toBeCloseTo(0.75, 2);
    expect(quota.pressure.requests.perMinute).toBeCloseTo(200 / 1_440, 5);
  });

  it("allows no more than this process's share of a given limit", () => {
    const { quota } = quotaOf({ requestsPerMinute: 600, processes: 4 });
    expect(quota.pressure.requests).toMatchObject({ perMinute: 150, usedRatio: 0, isLow: true });
  });

  it('remembers for a minute which limit refused a request: both where the headers do not say', async () => {
    const { clock, quota, refuse } = quotaOf();
    const throttled = () => [quota.pressure.requests.isThrottled, quota.pressure.tokens.isThrottled];
    refuse({ requests: { limit: 60, remaining: 0 } });
    expect(throttled()).toEqual([true, false]);
    await clock.advance(60_000);
    expect(throttled()).toEqual([false, false]);
    refuse({ requests: { limit: 60, remaining: 5 } });
    expect(throttled()).toEqual([false, true]);
    refuse();
    expect(throttled()).toEqual([true, true]);
  });
});

describe('the joint pressure of several quotas', () => {
  const limit = { perMinute: 60, usedRatio: 1, isLow: true, isThrottled: false };
  const unknown = { perMinute: undefined, usedRatio: 0, isLow: true, isThrottled: false };

  it('weighs each by its limit, is low where all that are known are, and throttled where one is', () => {
    const free = { perMinute: 180, usedRatio: 0, isLow: false, isThrottled: true };
    const quotas = [limit, free, unknown].map((each) => ({ requests: each, tokens: limit }));
    expect(jointPressure(quotas)).toEqual({
      requests: { perMinute: 240, usedRatio: 0.25, isLow: false, isThrottled: true },
      tokens: { perMinute: 180, usedRatio: 1, isLow: true, isThrottled: false },
    });
  });

  it('is none of no quota', () => {
    expect(jointPressure([]).requests).toEqual(unknown);
  });
});
