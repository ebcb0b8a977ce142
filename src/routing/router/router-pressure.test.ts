import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { RateLimitReading, RateLimitSnapshot } from '../limits/rate-limit-snapshot.ts';
import { QuotaRegistry } from '../quota/quota-registry.ts';
import { Router } from './router.ts';
import { jobOf } from './router-story.fixture.ts';

const MODEL = 'gpt-4.1-mini';
const SHORT: RateLimitReading = { limit: 60, remaining: 10, resetMs: 50_000 };
const MANY: RateLimitReading = { limit: 10_000_000, remaining: 9_999_000, resetMs: 6 };
/** Three quarters of a day's limit are used up. */
const DAY: RateLimitReading = { limit: 200, remaining: 50, resetMs: 64_800_000 };

function pressureStory() {
  const clock = new ManualClock();
  const quotas = new QuotaRegistry({ clock });
  const router = new Router({
    endpoints: [{ name: 'only', target: 'only' }],
    quotas: (group, model) => quotas.get(group, model),
    clock,
  });
  const answered = (limits: RateLimitSnapshot) =>
    router.run(jobOf({ model: MODEL }), async (leg) => {
      leg.sent();
      leg.answered({ limits });
    });
  return { clock, quota: quotas.get('only', MODEL), answered, pressure: () => router.pressureOf(MODEL) };
}

describe('the pressure that a router reports', () => {
  it('is taken from no answer of more than ten minutes ago', async () => {
    const { clock, answered, pressure } = pressureStory();
    await answered({ requests: DAY });
    await clock.advance(599_999);
    expect(pressure().requests.usedRatio).toBeGreaterThan(0.7);
    await clock.advance(1);
    expect(pressure().requests).toMatchObject({ usedRatio: 0, isLow: true });
    await clock.advance(60_000);
    await answered({ requests: DAY });
    expect(pressure().requests.usedRatio).toBeGreaterThan(0.7);
  });

  it('is right while a listener of the quota throws, which spares the others', async () => {
    const { clock, quota, answered, pressure } = pressureStory();
    let notified = 0;
    quota.onCapacity(() => {
      throw new Error('a broken listener');
    });
    quota.onCapacity(() => {
      notified += 1;
    });
    await answered({ requests: SHORT, tokens: MANY });
    expect(pressure().requests.usedRatio).toBeCloseTo(5 / 6);
    expect(quota.waitMs(1e9)).toBeGreaterThan(0);
    await clock.advance(1_000);
    await answered({ requests: { limit: 600, remaining: 599, resetMs: 100 }, tokens: MANY });
    expect(notified).toBe(1);
    expect(pressure().requests.usedRatio).toBeLessThan(0.01);
  });

  it.each([
    ['tokens', { tokens: MANY }],
    ['nothing', {}],
    ['tokens, and of requests no limit', { requests: { limit: 0, remaining: 0 }, tokens: MANY }],
  ])('keeps what it knows of requests when headers name %s', async (_what, limits) => {
    const { clock, answered, pressure } = pressureStory();
    await answered({ requests: SHORT, tokens: MANY });
    await clock.advance(1_000);
    await answered(limits);
    expect(pressure().requests.usedRatio).toBeCloseTo(49 / 60, 1);
    expect(pressure().tokens.usedRatio).toBeLessThan(0.01);
  });

  it('is unknown of a limit that no headers have named', async () => {
    const { answered, pressure } = pressureStory();
    await answered({ requests: SHORT });
    expect(pressure().tokens).toEqual({ perMinute: undefined, usedRatio: 0, isLow: true, isThrottled: false });
  });
});
