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
    const pause = pauseOf();
    pause.refused(1e15, 0);
    expect(pause.askedMs(0)).toBe(86_400_000);
  });

  it('is begun by one refusal, however many were under way', () => {
    const pause = pauseOf();
    for (let refusal = 0; refusal < 50; refusal += 1) pause.refused(undefined, 0);
    expect(pause.waitMs(0)).toBe(250);
    for (let refusal = 0; refusal < 50; refusal += 1) pause.refused(10, 0);
    expect(pause.waitMs(0)).toBe(250);
  });
});

describe('a pause of a day', () => {
  const DAY_MS = 86_400_000;
  const PROBE_MS = 300_000;
  const pausedForADay = () => {
    const pause = pauseOf();
    pause.refused(DAY_MS, 0);
    return pause;
  };

  it('lets one request find out every 5 minutes', () => {
    const pause = pausedForADay();
    for (let nowMs = 0; nowMs < DAY_MS - PROBE_MS; nowMs += PROBE_MS) {
      expect(pause.waitMs(nowMs)).toBe(PROBE_MS);
      expect(pause.askedMs(nowMs)).toBe(DAY_MS - nowMs);
      expect(pause.waitMs(nowMs + PROBE_MS)).toBe(0);
      pause.sent(nowMs + PROBE_MS);
      expect(pause.waitMs(nowMs + PROBE_MS)).toBe(Number.POSITIVE_INFINITY);
      pause.refused(DAY_MS - nowMs - PROBE_MS, nowMs + PROBE_MS);
    }
  });

  it('is over when that request is answered', () => {
    const pause = pausedForADay();
    pause.sent(PROBE_MS);
    expect(pause.passed()).toBe(true);
    expect([pause.waitMs(PROBE_MS), pause.askedMs(PROBE_MS)]).toEqual([0, 0]);
  });

  it('goes on when that request has no answer, and at once when nothing was sent', () => {
    const pause = pausedForADay();
    pause.sent(PROBE_MS);
    pause.unknown(PROBE_MS, { sent: false });
    expect(pause.waitMs(PROBE_MS)).toBe(0);
    pause.sent(PROBE_MS);
    pause.unknown(PROBE_MS, { sent: true });
    expect(pause.waitMs(PROBE_MS)).toBe(PROBE_MS);
  });

  it('is not ended by the answer of a request that was sent before it', () => {
    const pause = pausedForADay();
    expect(pause.passed()).toBe(false);
    expect(pause.waitMs(0)).toBe(PROBE_MS);
  });

  it('is none of a shorter one, which is believed', () => {
    const pause = pauseOf();
    pause.refused(PROBE_MS, 0);
    expect(pause.askedMs(0)).toBe(0);
    pause.sent(PROBE_MS);
    expect(pause.waitMs(PROBE_MS)).toBe(0);
  });
});
