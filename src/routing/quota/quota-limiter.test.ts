import { describe, expect, it, vi } from 'vitest';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { RateLimitSnapshot } from '../limits/rate-limit-snapshot.ts';
import { QuotaLimiter } from './quota-limiter.ts';
import type { QuotaLimits } from './quota-limiter-options.ts';
import type { QuotaPermit } from './quota-permit.ts';

function makeLimiter(limits: QuotaLimits = {}) {
  const clock = new ManualClock();
  const limiter = new QuotaLimiter({ name: 'quota', limits, clock, random: () => 0 });
  return { clock, limiter };
}

/** Takes as many as may pass now. */
function takeAll(limiter: QuotaLimiter, tokens = 1): QuotaPermit[] {
  const permits: QuotaPermit[] = [];
  while (limiter.waitMs(tokens) === 0 && permits.length < 10_000) permits.push(limiter.take(tokens));
  return permits;
}

const requests = (limit: number, remaining: number, resetMs: number): RateLimitSnapshot => ({
  requests: { limit, remaining, resetMs },
});

describe('QuotaLimiter', () => {
  it('lets everything pass where no limit is given and none is told', () => {
    const { limiter } = makeLimiter();
    expect(limiter.limitsKnown).toBe(false);
    expect(takeAll(limiter, 1_000_000)).toHaveLength(10_000);
  });

  it('lists every wrong option', () => {
    const limits = { requestsPerMinute: 0, tokenPerMinute: 5 } as QuotaLimits;
    expect(() => new QuotaLimiter({ name: '', limits })).toThrowError(
      expect.objectContaining({
        code: 'DESCRIBE_CONFIG_INVALID',
        message: expect.stringMatching(/name[\s\S]*tokensPerMinute\?[\s\S]*requestsPerMinute/),
      }),
    );
  });

  it('lets a second’s worth of a given limit pass at most, then one as each is refilled', async () => {
    const { clock, limiter } = makeLimiter({ requestsPerMinute: 600 });
    const burst = takeAll(limiter).length;
    expect(burst).toBeGreaterThanOrEqual(4);
    expect(burst).toBeLessThanOrEqual(10);
    expect(limiter.waitMs(1)).toBeLessThanOrEqual(110);
    let later = 0;
    for (let step = 0; step < 100; step += 1) {
      await clock.advance(100);
      later += takeAll(limiter).length;
    }
    expect(later).toBeGreaterThanOrEqual(98);
    expect(later).toBeLessThanOrEqual(101);
  });

  it('counts tokens beside requests, and lets what is larger than the bucket pass when that is full', async () => {
    const { clock, limiter } = makeLimiter({ tokensPerMinute: 60_000 });
    expect(limiter.waitMs(400)).toBe(0);
    await clock.advance(1_000);
    expect(limiter.waitMs(5_000)).toBe(0);
    limiter.take(5_000);
    // 5,000 of 1,000 a second: the debt is paid off first.
    expect(limiter.waitMs(100)).toBeGreaterThan(4_000);
    expect(limiter.drainMs(1, 1_000)).toBe(5_000);
  });

  it('gives back whole what was never sent', () => {
    const { limiter } = makeLimiter({ requestsPerMinute: 600, tokensPerMinute: 60_000 });
    const before = limiter.drainMs(1, 1_000);
    const permit = limiter.take(400);
    permit.refund();
    permit.refund();
    permit.failed();
    expect(limiter.drainMs(1, 1_000)).toBe(before);
    expect(limiter.getStats()).toMatchObject({ refunded: 1, inFlight: 0 });
  });

  it('settles to what the API counted', () => {
    const { limiter } = makeLimiter({ tokensPerMinute: 60_000 });
    limiter.take(900).answered({ chargedTokens: 100 });
    expect(limiter.drainMs(1, 900)).toBe(0);
    limiter.take(100).answered({ chargedTokens: 900 });
    expect(limiter.drainMs(1, 900)).toBe(900);
  });

  it('learns by how much estimates are wrong', () => {
    const { limiter } = makeLimiter();
    for (let answer = 0; answer < 20; answer += 1) limiter.take(100).answered({ chargedTokens: 150 });
    expect(limiter.getStats().estimateRatio).toBeCloseTo(1.5);
  });

  it('follows a limit that the headers tell, from the first answer on', () => {
    const { limiter } = makeLimiter();
    const permits = Array.from({ length: 3 }, () => limiter.take(1));
    permits[0]?.answered({ limits: requests(600, 9, 100) });
    expect(limiter.getStats().requests).toMatchObject({ limit: 600, capacity: 10, level: 7 });
    expect(takeAll(limiter).length).toBeLessThanOrEqual(6);
  });

  it('takes a given limit for an upper bound, and a lower one from the headers for the truth', () => {
    const { limiter } = makeLimiter({ requestsPerMinute: 600 });
    limiter.take(1).answered({ limits: requests(1_200, 19, 50) });
    expect(limiter.getStats().requests).toMatchObject({ limit: 1_200, allowed: 600 });
    limiter.take(1).answered({ limits: requests(300, 4, 200) });
    expect(limiter.getStats().requests).toMatchObject({ limit: 300, allowed: 300 });
  });

  it('keeps to a limit from the answer on that tells of its halving', async () => {
    const { clock, limiter } = makeLimiter();
    limiter.take(1).answered({ limits: requests(600, 9, 100) });
    await clock.advance(1_000);
    const late = limiter.take(1);
    limiter.take(1).answered({ limits: requests(300, 3, 400) });
    expect(limiter.getStats().requests).toMatchObject({ limit: 300, capacity: 5, level: 3 });
    late.answered({ limits: requests(600, 8, 200) });
    takeAll(limiter);
    let taken = 0;
    for (let step = 0; step < 100; step += 1) {
      await clock.advance(100);
      taken += takeAll(limiter).length;
    }
    expect(taken).toBeGreaterThanOrEqual(49);
    expect(taken).toBeLessThanOrEqual(51);
  });

  it('applies the same difference in the headers of many answers once', () => {
    const { limiter } = makeLimiter();
    limiter.take(1).answered({ limits: requests(6_000, 99, 10) });
    const permits = Array.from({ length: 10 }, () => limiter.take(1));
    const level = limiter.getStats().requests.level ?? 0;
    // Another tenant took 30 before all of these.
    permits.forEach((permit, index) => {
      const remaining = 98 - index - 30;
      permit.answered({ limits: requests(6_000, remaining, (100 - remaining) * 10) });
    });
    expect(limiter.getStats().requests.level).toBeCloseTo(level - 30, 0);
    expect(limiter.getStats().requests.lowered).toBeCloseTo(30, 0);
  });

  it('ignores the headers of an answer to an older request than the last one heard', () => {
    const { limiter } = makeLimiter();
    limiter.take(1).answered({ limits: requests(6_000, 99, 10) });
    const [older, newer] = [limiter.take(1), limiter.take(1)];
    newer.answered({ limits: requests(6_000, 97, 30) });
    const before = limiter.getStats();
    older.answered({ limits: requests(12_000, 2, 980) });
    expect(limiter.getStats().requests).toEqual(before.requests);
  });

  it('learns a full minute’s bucket from its headers, and unlearns it when a second’s is enforced', async () => {
    const { clock, limiter } = makeLimiter();
    limiter.take(1).answered({ limits: requests(600, 599, 100) });
    expect(limiter.getStats().requests.capacity).toBeCloseTo(600);
    const permits = takeAll(limiter);
    expect(permits.length).toBeGreaterThan(500);
    permits.at(-1)?.throttled({ limits: requests(600, 300, 30_000), retryAfterMs: 100 });
    await clock.advance(10_000);
    expect(takeAll(limiter).length).toBeLessThanOrEqual(10);
  });

  it('learns what others take, and forgets it when they are gone', async () => {
    const { clock, limiter } = makeLimiter();
    limiter.take(1).answered({ limits: requests(6_000, 99, 10) });
    let level = 99;
    const play = async (seconds: number, foreignPerStep: number) => {
      for (let step = 0; step < seconds * 10; step += 1) {
        await clock.advance(100);
        level = Math.min(100, level + 10) - foreignPerStep;
        for (const permit of takeAll(limiter)) {
          level -= 1;
          permit.answered({ limits: requests(6_000, Math.max(0, Math.floor(level)), (100 - level) * 10) });
        }
      }
      return limiter.getStats().requests.foreignPerMinute;
    };
    expect(await play(5, 0)).toBeLessThan(60);
    const taken = await play(15, 5);
    expect(taken).toBeGreaterThan(2_500);
    expect(taken).toBeLessThan(3_500);
    expect(await play(20, 0)).toBeLessThan(300);
  });

  it('takes a limit whose bucket refills within a day for one a day', () => {
    const { limiter } = makeLimiter();
    limiter.take(1).answered({ limits: requests(200, 199, 432_000) });
    expect(limiter.getStats().requests.limit).toBeCloseTo(200 / 1_440);
  });

  it('keeps a share of the limits where processes don’t share through a store', async () => {
    const { clock, limiter } = makeLimiter({ requestsPerMinute: 2_400, processes: 4 });
    takeAll(limiter);
    let taken = 0;
    for (let step = 0; step < 100; step += 1) {
      await clock.advance(100);
      taken += takeAll(limiter).length;
    }
    expect(taken).toBeGreaterThanOrEqual(98);
    expect(taken).toBeLessThanOrEqual(101);
  });

  describe('when the API refuses', () => {
    it('pauses everybody for as long as it was told', async () => {
      const { clock, limiter } = makeLimiter();
      limiter.take(1).throttled({ retryAfterMs: 2_000 });
      expect(limiter.waitMs(1)).toBe(2_000);
      await clock.advance(1_999);
      expect(limiter.waitMs(1)).toBe(1);
      await clock.advance(1);
      expect(limiter.waitMs(1)).toBe(0);
    });

    it('extends the pause for a later, longer one and never shortens it for a shorter one', () => {
      const { limiter } = makeLimiter();
      const permits = Array.from({ length: 3 }, () => limiter.take(1));
      permits[0]?.throttled({ retryAfterMs: 2_000 });
      permits[1]?.throttled({ retryAfterMs: 500 });
      expect(limiter.waitMs(1)).toBe(2_000);
      permits[2]?.throttled({ retryAfterMs: 3_000 });
      expect(limiter.waitMs(1)).toBe(3_000);
    });

    it('waits longer from one refusal to the next where they name no time, once for those under way together', async () => {
      const { clock, limiter } = makeLimiter();
      const together = Array.from({ length: 5 }, () => limiter.take(1));
      for (const permit of together) permit.throttled({});
      expect(limiter.waitMs(1)).toBe(250);
      await clock.advance(250);
      limiter.take(1).throttled({});
      expect(limiter.waitMs(1)).toBe(500);
      await clock.advance(500);
      limiter.take(1).answered({});
      limiter.take(1).throttled({});
      expect(limiter.waitMs(1)).toBe(250);
    });

    it('adds chance to a pause, so that processes don’t come back at once', () => {
      const clock = new ManualClock();
      const limiter = new QuotaLimiter({ name: 'quota', clock, random: () => 0.5 });
      limiter.take(1).throttled({ retryAfterMs: 1_000 });
      expect(limiter.waitMs(1)).toBe(1_025);
    });

    it('lowers the rate for a slow_down, and raises it by at most half in 15 minutes', async () => {
      const { clock, limiter } = makeLimiter({ tokensPerMinute: 600_000 });
      const use = async (seconds: number) => {
        let tokens = 0;
        for (let step = 0; step < seconds * 10; step += 1) {
          await clock.advance(100);
          while (limiter.waitMs(500) === 0) {
            limiter.take(500).answered({});
            tokens += 500;
          }
        }
        return (tokens * 60) / seconds;
      };
      const before = await use(60);
      limiter.take(500).throttled({ retryAfterMs: 0, slowDown: true });
      const after = await use(60);
      expect(after / before).toBeGreaterThan(0.35);
      expect(after / before).toBeLessThan(0.6);
    });
  });

  it('takes a burst after a rest for the rate that a slow_down halves, once for all its answers', async () => {
    const clock = new ManualClock();
    const limiter = new QuotaLimiter({ name: 'quota', clock });
    await clock.advance(600_000);
    const permits = Array.from({ length: 100 }, () => limiter.take(300));
    for (const permit of permits.slice(0, 10)) permit.throttled({ retryAfterMs: 0, slowDown: true });
    expect(limiter.getStats().rampTokensPerMinute).toBeCloseTo((100 * 300 * 60) / 2, -4);
  });

  describe('above a million tokens a minute', () => {
    it('begins at the base and grows by half in 15 minutes of use', async () => {
      const { clock, limiter } = makeLimiter({ tokensPerMinute: 10_000_000 });
      const use = async (seconds: number) => {
        let tokens = 0;
        for (let step = 0; step < seconds; step += 1) {
          await clock.advance(1_000);
          while (limiter.waitMs(2_000) === 0) {
            limiter.take(2_000).answered({});
            tokens += 2_000;
          }
        }
        return (tokens * 60) / seconds;
      };
      const first = await use(60);
      expect(first).toBeGreaterThan(900_000);
      expect(first).toBeLessThan(1_100_000);
      await use(14 * 60);
      const second = await use(60);
      expect(second / first).toBeGreaterThan(1.3);
      expect(second / first).toBeLessThan(1.55);
      expect(limiter.getStats().rampTokensPerMinute).toBeGreaterThan(1_400_000);
    });

    it('has no ceiling where the rule is said not to apply', () => {
      const { limiter } = makeLimiter({ tokensPerMinute: 6e6, rampFromTokensPerMinute: 6e6 });
      expect(limiter.getStats().rampTokensPerMinute).toBeUndefined();
      expect(limiter.waitMs(40_000)).toBe(0);
    });
  });

  describe('when the quota is exhausted', () => {
    const exhausted = new UpstreamError('DESCRIBE_QUOTA_EXHAUSTED', 'no credit', { status: 429 });

    it('lets nobody pass, and says why', () => {
      const { limiter } = makeLimiter();
      const [first, second] = [limiter.take(1), limiter.take(1)];
      first.failed();
      limiter.stop(exhausted);
      expect(limiter.waitMs(1)).toBe(Number.POSITIVE_INFINITY);
      expect(limiter.drainMs(1, 1)).toBe(Number.POSITIVE_INFINITY);
      expect(limiter.stopped).toBe(exhausted);
      // It was under way already.
      second.answered({});
      expect(limiter.stopped).toBe(exhausted);
    });

    it('lets one request find out 5 minutes later, and goes on when that passes', async () => {
      const { clock, limiter } = makeLimiter();
      limiter.take(1).failed();
      limiter.stop(exhausted);
      await clock.advance(299_999);
      expect(limiter.stopped).toBe(exhausted);
      await clock.advance(1);
      expect(limiter.waitMs(1)).toBe(0);
      const probe = limiter.take(1);
      expect(limiter.stopped).toBe(exhausted);
      probe.answered({});
      expect(limiter.stopped).toBeUndefined();
      expect(takeAll(limiter).length).toBe(10_000);
    });

    it('waits twice as long after each that found it still exhausted', async () => {
      const { clock, limiter } = makeLimiter();
      limiter.take(1).failed();
      limiter.stop(exhausted);
      await clock.advance(300_000);
      limiter.take(1).failed();
      limiter.stop(exhausted);
      await clock.advance(599_999);
      expect(limiter.stopped).toBe(exhausted);
      await clock.advance(1);
      expect(limiter.stopped).toBeUndefined();
      limiter.take(1).refund();
      expect(limiter.waitMs(1)).toBe(0);
    });
  });

  describe('tells of capacity', () => {
    it('once, until somebody is told to wait again', () => {
      const { limiter } = makeLimiter({ requestsPerMinute: 600 });
      const listener = vi.fn();
      limiter.onCapacity(listener);
      const permits = takeAll(limiter);
      expect(listener).not.toHaveBeenCalled();
      permits[0]?.refund();
      permits[1]?.refund();
      expect(listener).toHaveBeenCalledTimes(1);
      takeAll(limiter);
      permits[2]?.refund();
      expect(listener).toHaveBeenCalledTimes(2);
    });

    it('not to those who left, and whatever one of them throws', () => {
      const { limiter } = makeLimiter({ requestsPerMinute: 60 });
      const listener = vi.fn();
      const leave = limiter.onCapacity(listener);
      leave();
      limiter.onCapacity(() => {
        throw new Error('not ours');
      });
      const last = vi.fn();
      limiter.onCapacity(last);
      const [permit] = takeAll(limiter);
      permit?.refund();
      expect(listener).not.toHaveBeenCalled();
      expect(last).toHaveBeenCalledTimes(1);
    });
  });

  it('refuses a listener that is no function', () => {
    const { limiter } = makeLimiter({ tokensPerMinute: 1_000 });
    expect(() => limiter.onCapacity('later' as never)).toThrow(/listener: expected a function/);
  });

  it('gives frozen stats that JSON can hold', () => {
    const { limiter } = makeLimiter({ requestsPerMinute: 600, tokensPerMinute: 2_000_000 });
    limiter.take(10).answered({ limits: requests(600, 9, 100), chargedTokens: 10 });
    const stats = limiter.getStats();
    expect(Object.isFrozen(stats.requests)).toBe(true);
    expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
  });
});
