import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { PackingAdvisor } from './packing-advisor.ts';

const headers = (limitRequests: number, remainingRequests: number, limitTokens: number) => ({
  'x-ratelimit-limit-requests': String(limitRequests),
  'x-ratelimit-remaining-requests': String(remainingRequests),
  'x-ratelimit-limit-tokens': String(limitTokens),
});

describe('PackingAdvisor', () => {
  it('sends singly while nothing is known', () => {
    expect(new PackingAdvisor(new ManualClock()).shouldPack('m', 500)).toBe(false);
  });

  it('packs when the requests run out before the tokens do', () => {
    const advisor = new PackingAdvisor(new ManualClock());
    advisor.observe('m', headers(60, 10, 1_000_000), false);
    expect(advisor.shouldPack('m', 500)).toBe(true);
    expect(advisor.shouldPack('other', 500)).toBe(false);
  });

  it('sends singly when the tokens run out first', () => {
    const advisor = new PackingAdvisor(new ManualClock());
    advisor.observe('m', headers(500, 10, 100_000), true);
    expect(advisor.shouldPack('m', 500)).toBe(false);
  });

  it('sends singly while there is no pressure', () => {
    const advisor = new PackingAdvisor(new ManualClock());
    advisor.observe('m', headers(500, 400, 10_000_000), false);
    expect(advisor.shouldPack('m', 500)).toBe(false);
  });

  it('remembers a throttle for a minute, also one without headers', async () => {
    const clock = new ManualClock();
    const advisor = new PackingAdvisor(clock);
    advisor.observe('m', headers(500, 500, 10_000_000), false);
    advisor.observe('m', undefined, true);
    expect(advisor.shouldPack('m', 500)).toBe(true);
    await clock.advance(60_000);
    expect(advisor.shouldPack('m', 500)).toBe(false);
  });
});
