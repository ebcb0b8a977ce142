import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { PackingAdvisor, type PackingCost } from './packing-advisor.ts';

interface Reading {
  readonly limit: number;
  readonly remaining?: number | undefined;
  readonly reset?: string | undefined;
}

function headersOf(readings: { readonly requests?: Reading; readonly tokens?: Reading }): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [unit, { limit, remaining, reset }] of Object.entries(readings)) {
    headers[`x-ratelimit-limit-${unit}`] = String(limit);
    if (remaining !== undefined) headers[`x-ratelimit-remaining-${unit}`] = String(remaining);
    if (reset !== undefined) headers[`x-ratelimit-reset-${unit}`] = reset;
  }
  return headers;
}

/** A short prompt: a pack costs a little more tokens than its images alone. */
const SHORT: PackingCost = { single: 426, packed: 436, packSize: 5 };
/** A prompt of 2,000 tokens: a pack pays for it once. */
const LONG: PackingCost = { single: 2_421, packed: 838, packSize: 5 };

function advisorOf(known?: ConstructorParameters<typeof PackingAdvisor>[1]) {
  const clock = new ManualClock();
  const advisor = new PackingAdvisor(clock, known);
  const advise = (cost = SHORT, model = 'm') => advisor.advise(model, cost);
  return { clock, advisor, advise };
}

const MANY_TOKENS = { limit: 10_000_000, remaining: 9_999_000, reset: '6ms' };
const MANY_REQUESTS = { limit: 10_000, remaining: 9_990, reset: '60ms' };

describe('what is advised', () => {
  it('is neither while nothing is known', () => {
    expect(advisorOf().advise()).toBe('either');
  });

  it('is neither while nothing is short', () => {
    const { advisor, advise } = advisorOf();
    advisor.observe('m', headersOf({ requests: MANY_REQUESTS, tokens: MANY_TOKENS }), false);
    expect([advise(SHORT), advise(LONG)]).toEqual(['either', 'either']);
  });

  it('is to pack when requests are short, for that model alone', () => {
    const { advisor, advise } = advisorOf();
    const requests = { limit: 60, remaining: 10, reset: '50s' };
    advisor.observe('m', headersOf({ requests, tokens: MANY_TOKENS }), false);
    expect(advise()).toBe('pack');
    expect(advise(SHORT, 'other')).toBe('either');
  });

  it('is to send singly when tokens are short and a pack saves none', () => {
    const { advisor, advise } = advisorOf();
    const tokens = { limit: 100_000, remaining: 10_000, reset: '54s' };
    advisor.observe('m', headersOf({ requests: MANY_REQUESTS, tokens }), false);
    expect(advise(SHORT)).toBe('singly');
  });

  it('is to pack when tokens are short and a pack pays once for a long prompt', () => {
    const { advisor, advise } = advisorOf();
    const tokens = { limit: 100_000, remaining: 10_000, reset: '54s' };
    advisor.observe('m', headersOf({ requests: MANY_REQUESTS, tokens }), false);
    expect(advise(LONG)).toBe('pack');
  });

  it.each([
    [500, 100_000, 'singly'],
    [60, 100_000, 'pack'],
  ] as const)('goes by the limits when both are short: %i requests and %i tokens', (limit, tokenLimit, advice) => {
    const { advisor, advise } = advisorOf();
    const requests = { limit, remaining: 0, reset: '60s' };
    advisor.observe('m', headersOf({ requests, tokens: { limit: tokenLimit, remaining: 0, reset: '60s' } }), false);
    expect(advise()).toBe(advice);
  });

  it('is neither where images are too large for two to share a request', () => {
    const { advisor, advise } = advisorOf();
    const requests = { limit: 60, remaining: 10, reset: '50s' };
    advisor.observe('m', headersOf({ requests, tokens: MANY_TOKENS }), false);
    expect(advise({ single: 90_000, packed: 90_000, packSize: 1 })).not.toBe('pack');
  });
});

describe('pressure', () => {
  it('fades as the limit refills', async () => {
    const { clock, advisor, advise } = advisorOf();
    const requests = { limit: 60, remaining: 10, reset: '50s' };
    advisor.observe('m', headersOf({ requests, tokens: MANY_TOKENS }), false);
    await clock.advance(19_000);
    expect(advise()).toBe('pack');
    await clock.advance(2_000);
    expect(advise()).toBe('either');
  });

  it('is none where a bucket of a second is empty after each lone request', () => {
    const { advisor, advise } = advisorOf();
    const requests = { limit: 60, remaining: 0, reset: '1s' };
    advisor.observe('m', headersOf({ requests, tokens: MANY_TOKENS }), false);
    expect(advise()).toBe('either');
  });

  it('is one where calls wait in line for such a bucket, until they no longer do', async () => {
    const { clock, advisor, advise } = advisorOf();
    const requests = { limit: 60, remaining: 0, reset: '1s' };
    advisor.observe('m', headersOf({ requests, tokens: MANY_TOKENS }), false);
    advisor.waited('m', 199);
    expect(advise()).toBe('either');
    advisor.waited('m', 200);
    expect(advise()).toBe('pack');
    await clock.advance(10_000);
    expect(advise()).toBe('either');
  });

  it('is one where such a bucket is paced so well that a little is left at all times', () => {
    const { advisor, advise } = advisorOf();
    const requests = { limit: 300, remaining: 2, reset: '600ms' };
    const tokens = { limit: 10_000_000, remaining: 166_000, reset: '10ms' };
    advisor.observe('m', headersOf({ requests, tokens }), false);
    advisor.waited('m', 500);
    expect(advise()).toBe('pack');
  });

  it('is none by a line for something else than the limits', () => {
    const { advisor, advise } = advisorOf();
    advisor.observe('m', headersOf({ requests: MANY_REQUESTS, tokens: MANY_TOKENS }), false);
    advisor.waited('m', 5_000);
    expect(advise()).toBe('either');
  });

  it('is told from a line by the limits that were given, where a server names none', () => {
    const { advisor, advise } = advisorOf({ requestsPerMinute: 60 });
    expect(advise()).toBe('either');
    advisor.waited('m', 500);
    expect(advise()).toBe('pack');
  });

  it('of a refusal lasts a minute', async () => {
    const { clock, advisor, advise } = advisorOf();
    const refusal = headersOf({ requests: { limit: 60, remaining: 0, reset: '1s' }, tokens: MANY_TOKENS });
    advisor.observe('m', refusal, true);
    await clock.advance(59_999);
    expect(advise()).toBe('pack');
    await clock.advance(1);
    expect(advise()).toBe('either');
  });

  it('of a refusal that left requests is not theirs', () => {
    const { advisor, advise } = advisorOf();
    const tokens = { limit: 100_000, remaining: 300, reset: '1s' };
    advisor.observe('m', headersOf({ requests: { limit: 60, remaining: 1, reset: '1s' }, tokens }), true);
    expect(advise()).toBe('singly');
  });

  it('of a refusal without headers goes by what was known', () => {
    const { advisor, advise } = advisorOf();
    advisor.observe('m', undefined, true);
    expect(advise()).toBe('either');
    advisor.observe('m', headersOf({ requests: { limit: 60, remaining: 60 }, tokens: MANY_TOKENS }), false);
    expect(advise()).toBe('pack');
  });

  it('sees a limit of a day behind a reset of minutes', () => {
    const { advisor, advise } = advisorOf();
    // 200 requests a day: one of them is back after 432 s, and 150 of them after 18 h.
    advisor.observe('m', headersOf({ requests: { limit: 200, remaining: 199, reset: '7m12s' } }), false);
    expect(advise()).toBe('either');
    advisor.observe('m', headersOf({ requests: { limit: 200, remaining: 50, reset: '18h0m0s' } }), false);
    expect(advise()).toBe('pack');
  });

  it('is not taken from an answer of ten minutes ago', async () => {
    const { clock, advisor, advise } = advisorOf();
    advisor.observe('m', headersOf({ requests: { limit: 200, remaining: 50, reset: '18h0m0s' } }), false);
    await clock.advance(600_001);
    expect(advise()).toBe('either');
  });

  it('counts all endpoints of a model together', () => {
    const { advisor, advise } = advisorOf();
    const tokens = MANY_TOKENS;
    advisor.observe('m', headersOf({ requests: { limit: 60, remaining: 0, reset: '60s' }, tokens }), false, 'small');
    advisor.observe('m', headersOf({ requests: MANY_REQUESTS, tokens }), false, 'large');
    expect(advise()).toBe('either');
  });
});

describe('headers of no sense', () => {
  it.each([
    ['limits of -1, as seen on Azure', { requests: { limit: -1, remaining: -1 }, tokens: { limit: -1 } }],
    ['limits of 0', { requests: { limit: 0, remaining: 0 }, tokens: { limit: 0, remaining: 0 } }],
    ['more left than there is', { requests: { limit: 10, remaining: 99, reset: '-5s' } }],
    ['a reset that is none', { requests: { limit: 60, remaining: 59, reset: 'soon' } }],
    ['a reset without any use', { requests: { limit: 60, remaining: 60, reset: '900h' }, tokens: MANY_TOKENS }],
  ])('are no pressure: %s', (_, readings) => {
    const { advisor, advise } = advisorOf();
    advisor.observe('m', headersOf(readings), false);
    expect(advise()).toBe('either');
  });

  it('leave what was known before', () => {
    const { advisor, advise } = advisorOf();
    advisor.observe(
      'm',
      headersOf({ requests: { limit: 60, remaining: 0, reset: '60s' }, tokens: MANY_TOKENS }),
      false,
    );
    advisor.observe('m', headersOf({ tokens: MANY_TOKENS }), false);
    expect(advise()).toBe('pack');
  });
});

describe('a watcher', () => {
  it('is told when a limit becomes short and when it no longer is, until it stops, and may throw', async () => {
    const { clock, advisor } = advisorOf();
    const told: string[] = [];
    advisor.watch(() => {
      throw new Error('broken');
    });
    const stop = advisor.watch((model) => told.push(model));
    const short = headersOf({ requests: { limit: 60, remaining: 0, reset: '60s' }, tokens: MANY_TOKENS });
    for (let answer = 0; answer < 9; answer += 1) advisor.observe('m', short, false);
    expect(told).toEqual(['m']);
    await clock.advance(60_000);
    advisor.observe('m', headersOf({ requests: MANY_REQUESTS, tokens: MANY_TOKENS }), false);
    expect(told).toEqual(['m', 'm']);
    stop();
    advisor.observe('m', undefined, true);
    expect(told).toEqual(['m', 'm']);
  });
});
