import { describe, expect, it } from 'vitest';
import { rateLimitOf } from '../../openai/exchange/rate-limit-headers.ts';
import type { LimitPressure } from '../../routing/limits/limit-pressure.ts';
import { QuotaLimiter } from '../../routing/quota/quota-limiter.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { CallTrace } from '../attempt/call-trace.ts';
import { PackingAdvisor, type PackingCost } from './packing-advisor.ts';

/** A short prompt: a pack costs a little more tokens than its images alone. */
const SHORT: PackingCost = { single: 426, packed: 436, packSize: 5 };
/** A prompt of 2,000 tokens: a pack pays for it once. */
const LONG: PackingCost = { single: 2_421, packed: 838, packSize: 5 };

const UNKNOWN: LimitPressure = { perMinute: undefined, usedRatio: 0, isLow: true, isThrottled: false };
const limitOf = (perMinute: number, usedRatio = 0, isLow = usedRatio > 0.95): LimitPressure => ({
  perMinute,
  usedRatio,
  isLow,
  isThrottled: false,
});
const MANY_TOKENS = limitOf(10_000_000);
const MANY_REQUESTS = limitOf(10_000);

/** An advisor over pressures that the test sets. */
function advisorOf(requests = UNKNOWN, tokens = UNKNOWN, ofModel = 'm') {
  const clock = new ManualClock();
  const now = { requests, tokens };
  const none = { requests: UNKNOWN, tokens: UNKNOWN };
  const advisor = new PackingAdvisor(clock, (model) => (model === ofModel ? now : none));
  const advise = (cost = SHORT, model = 'm') => advisor.advise(model, cost);
  const become = (changed: Partial<typeof now>) => {
    Object.assign(now, changed);
    advisor.heard('m');
  };
  return { clock, advisor, advise, become };
}

describe('the advice', () => {
  it('is neither while nothing is known', () => {
    expect(advisorOf().advise()).toBe('either');
  });

  it('is neither while nothing is short', () => {
    const { advise } = advisorOf(MANY_REQUESTS, MANY_TOKENS);
    expect([advise(SHORT), advise(LONG)]).toEqual(['either', 'either']);
  });

  it('is to pack when requests are short, for that model alone', () => {
    const { advise } = advisorOf(limitOf(60, 0.83), MANY_TOKENS);
    expect(advise()).toBe('pack');
    expect(advise(SHORT, 'other')).toBe('either');
  });

  it('is to send singly when tokens are short and a pack saves none', () => {
    expect(advisorOf(MANY_REQUESTS, limitOf(100_000, 0.9)).advise()).toBe('singly');
  });

  it('is to pack when tokens are short and a pack pays once for a long prompt', () => {
    expect(advisorOf(MANY_REQUESTS, limitOf(100_000, 0.9)).advise(LONG)).toBe('pack');
  });

  it.each([
    [500, 100_000, 'singly'],
    [60, 100_000, 'pack'],
  ] as const)('goes by the limits when both are short: %i requests and %i tokens', (limit, tokenLimit, advice) => {
    expect(advisorOf(limitOf(limit, 1), limitOf(tokenLimit, 1)).advise()).toBe(advice);
  });

  it('is neither where images are too large for two to share a request', () => {
    const { advise } = advisorOf(limitOf(60, 0.83), MANY_TOKENS);
    expect(advise({ single: 90_000, packed: 90_000, packSize: 1 })).not.toBe('pack');
  });
});

describe('a limit is short', () => {
  it('from the half of it on that is used up', () => {
    expect(advisorOf(limitOf(60, 0.5), MANY_TOKENS).advise()).toBe('pack');
    expect(advisorOf(limitOf(60, 0.499), MANY_TOKENS).advise()).toBe('either');
  });

  it('where it refused a request, also one whose size is unknown', () => {
    const throttled = { isThrottled: true } as const;
    expect(advisorOf({ ...limitOf(60), ...throttled }, MANY_TOKENS).advise()).toBe('pack');
    expect(advisorOf(MANY_REQUESTS, { ...limitOf(100_000), ...throttled }).advise()).toBe('singly');
    expect(advisorOf({ ...UNKNOWN, ...throttled }).advise()).toBe('either');
  });

  it('where it is low and calls are queued for 200 ms, until they no longer were for ten seconds', async () => {
    const { clock, advisor, advise } = advisorOf(limitOf(60, 0.02, true), MANY_TOKENS);
    advisor.waited('m', 199);
    expect(advise()).toBe('either');
    advisor.waited('m', 200);
    expect(advise()).toBe('pack');
    await clock.advance(10_000);
    expect(advise()).toBe('either');
  });

  it('by no queue for something else than the limits', () => {
    const { advisor, advise } = advisorOf(MANY_REQUESTS, MANY_TOKENS);
    advisor.waited('m', 5_000);
    expect(advise()).toBe('either');
  });
});

describe('headers without sense', () => {
  it.each([
    ['limits of -1, as seen on Azure', { 'limit-requests': -1, 'remaining-requests': -1, 'limit-tokens': -1 }],
    ['limits of 0', { 'limit-requests': 0, 'remaining-requests': 0, 'limit-tokens': 0, 'remaining-tokens': 0 }],
    ['more left than there is', { 'limit-requests': 10, 'remaining-requests': 99, 'reset-requests': '-5s' }],
    ['a reset that is none', { 'limit-requests': 60, 'remaining-requests': 59, 'reset-requests': 'soon' }],
    ['a reset without any use', { 'limit-requests': 60, 'remaining-requests': 60, 'reset-requests': '900h' }],
  ])('are no pressure: %s', (_, readings) => {
    const clock = new ManualClock();
    const quota = new QuotaLimiter({ name: 'q', clock });
    const headers = Object.entries(readings).map(([name, value]) => [`x-ratelimit-${name}`, String(value)]);
    quota.take(100).answered({ limits: rateLimitOf(Object.fromEntries(headers)) });
    const advisor = new PackingAdvisor(clock, () => quota.pressure);
    expect(advisor.advise('m', SHORT)).toBe('either');
  });
});

describe('a followed request', () => {
  const follow = (advisor: PackingAdvisor, clock: ManualClock, onLeft = () => {}) => {
    const looks: string[] = [];
    const trace = new CallTrace(clock);
    const followed = advisor.follow({ model: 'm', waits: () => trace.waits(), look: () => looks.push('look'), onLeft });
    return { ...followed, trace, looks };
  };

  it('looks when it is queued and when another limit is short, until it leaves the queue', () => {
    const { clock, advisor, become } = advisorOf(MANY_REQUESTS, MANY_TOKENS);
    const { waits, looks } = follow(advisor, clock);
    become({ requests: limitOf(60, 1) });
    expect(looks).toEqual([]);
    const leave = waits();
    expect(looks.splice(0)).toEqual(['look']);
    for (let answer = 0; answer < 9; answer += 1) become({ requests: limitOf(60, 1) });
    expect(looks).toEqual([]);
    become({ requests: MANY_REQUESTS });
    become({ tokens: limitOf(100_000, 0.9) });
    expect(looks.splice(0)).toEqual(['look', 'look']);
    leave();
    become({ tokens: MANY_TOKENS });
    expect(looks).toEqual([]);
  });

  it('may leave the queue and come back, and no longer looks once it has ended', () => {
    const { clock, advisor, become } = advisorOf(MANY_REQUESTS, MANY_TOKENS);
    const { waits, looks, end } = follow(advisor, clock);
    waits()();
    waits();
    expect(looks.splice(0)).toEqual(['look', 'look']);
    end();
    become({ requests: limitOf(60, 1) });
    expect(looks).toEqual([]);
  });

  it('tells once that it left the queue, and its wait counts as any does', async () => {
    const { clock, advisor, advise } = advisorOf(limitOf(60, 0.02, true), MANY_TOKENS);
    let left = 0;
    const { waits, trace } = follow(advisor, clock, () => {
      left += 1;
    });
    const leave = waits();
    await clock.advance(300);
    expect(advise()).toBe('either');
    leave();
    leave();
    expect({ left, queueMs: trace.explain().queueMs, advice: advise() }).toEqual({
      left: 1,
      queueMs: 300,
      advice: 'pack',
    });
  });
});

it('knows whether a model has answered', () => {
  const { advisor } = advisorOf();
  expect(advisor.hasHeardOf('m')).toBe(false);
  advisor.heard('m');
  expect([advisor.hasHeardOf('m'), advisor.hasHeardOf('other')]).toEqual([true, false]);
});
