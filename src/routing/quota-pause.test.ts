import { describe, expect, it } from 'vitest';
import { QuotaPause } from './quota-pause.ts';

const pauseOf = () => new QuotaPause(() => 0);

/** Refused again at the end of each pause, so many times: how long each pause lasts. */
const refusedFor = (pause: QuotaPause, retryAfterMs: number | undefined, times: number) => {
  let nowMs = 0;
  return Array.from({ length: times }, () => {
    pause.refused(retryAfterMs, nowMs);
    const waitMs = pause.waitMs(nowMs);
    nowMs += waitMs;
    return waitMs;
  });
};

describe('the pause after refusals in a row', () => {
  it.each([undefined, 0, Number.NaN, -1])('grows where they name %s', (retryAfterMs) => {
    expect(refusedFor(pauseOf(), retryAfterMs, 3)).toEqual([250, 500, 1000]);
    expect(refusedFor(pauseOf(), retryAfterMs, 12).at(-1)).toBe(30_000);
  });

  it('is as long as they name, and grows where that does not help', () => {
    expect(refusedFor(pauseOf(), 20, 6)).toEqual([20, 20, 20, 250, 500, 1000]);
    expect(refusedFor(pauseOf(), 60_000, 6)).toEqual(Array(6).fill(60_000));
  });

  it('is short again once a request passed', () => {
    const pause = pauseOf();
    refusedFor(pause, 20, 5);
    pause.passed();
    pause.refused(20, 100_000);
    expect(pause.waitMs(100_000)).toBe(20);
  });

  it('is a day at most, whatever they name', () => {
    expect(refusedFor(pauseOf(), 1e15, 1)).toEqual([86_400_000]);
  });

  it('is begun by one refusal, however many were under way', () => {
    const pause = pauseOf();
    for (let refusal = 0; refusal < 50; refusal += 1) pause.refused(undefined, 0);
    expect(pause.waitMs(0)).toBe(250);
    for (let refusal = 0; refusal < 50; refusal += 1) pause.refused(10, 0);
    expect(pause.waitMs(0)).toBe(250);
  });
});
