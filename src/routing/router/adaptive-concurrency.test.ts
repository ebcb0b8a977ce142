import { describe, expect, it } from 'vitest';
import { type ClosedLoopOptions, type ClosedLoopSample, closedLoop } from '../closed-loop.fixture.ts';
import { AdaptiveConcurrency } from './adaptive-concurrency.ts';

const SEEDS = [1, 2, 3];
const BASE_MS = 500;

/** Serves so many at a time and lets the others wait for each other. */
const serverOf = (capacity: number) => ({
  latencyMs: (inFlight: number, outputTokens: number) =>
    ((BASE_MS * (outputTokens + 50)) / 150) * Math.max(1, inFlight / capacity),
});

const simulate = (options: Omit<ClosedLoopOptions, 'seed' | 'durationMs'>, seed: number) =>
  closedLoop({ durationMs: 300_000, seed, ...options });
const tailOf = (samples: readonly ClosedLoopSample[], fromMs = 60_000) => samples.filter(({ atMs }) => atMs > fromMs);
const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

describe.each(SEEDS)('the limit of calls in flight (seed %i)', (seed) => {
  it.each([0, 0.3])('settles near the capacity of a server, with a share of %d aborted', (abortRatio) => {
    const tail = tailOf(simulate({ server: serverOf(40), abortRatio }, seed));
    const limits = tail.map(({ limit }) => limit);
    expect(mean(limits)).toBeGreaterThan(40);
    expect(mean(limits)).toBeLessThan(80);
    expect(Math.min(...limits)).toBeGreaterThan(20);
    expect(Math.max(...limits)).toBeLessThan(110);
  });

  it('loses at most 5 % of what the server can do', () => {
    const answers = tailOf(simulate({ server: serverOf(40) }, seed)).map((sample) => sample.answers);
    expect(mean(answers)).toBeGreaterThan(0.95 * 40 * (1_000 / BASE_MS));
  });

  it('comes down to a server that does less than it begins with', () => {
    const tail = tailOf(simulate({ server: serverOf(3) }, seed), 240_000);
    expect(mean(tail.map(({ limit }) => limit))).toBeLessThan(12);
    expect(mean(tail.map(({ answers }) => answers))).toBeGreaterThan(0.9 * 3 * (1_000 / BASE_MS));
  });

  it('settles as near where it begins with far more', () => {
    const tail = tailOf(simulate({ server: serverOf(40), initialConcurrency: 256 }, seed));
    const limits = tail.map(({ limit }) => limit);
    expect(mean(limits)).toBeGreaterThan(35);
    expect(mean(limits)).toBeLessThan(80);
    expect(mean(tail.map(({ answers }) => answers))).toBeGreaterThan(0.95 * 40 * (1_000 / BASE_MS));
  });

  it('stays at what it begins with where that is no load', () => {
    const server = { latencyMs: () => 1_000 };
    const limits = tailOf(simulate({ server, initialConcurrency: 256 }, seed)).map(({ limit }) => limit);
    expect(Math.min(...limits)).toBe(256);
  });

  it('does not shrink for answers that differ in length', () => {
    const outputTokens = (random: () => number) => 5 + Math.floor(295 * random());
    const server = { latencyMs: (_inFlight: number, tokens: number) => 1_000 + 30 * tokens };
    const samples = simulate({ server, outputTokens }, seed);
    expect(Math.min(...tailOf(samples, 120_000).map(({ limit }) => limit))).toBe(256);
  });

  it('does not shrink when answers become longer', () => {
    const outputTokens = (_random: () => number, nowMs: number) => (nowMs > 120_000 ? 300 : 20);
    const server = { latencyMs: (_inFlight: number, tokens: number) => 10 * (tokens + 50) };
    const samples = simulate({ server, outputTokens }, seed);
    expect(Math.min(...tailOf(samples, 100_000).map(({ limit }) => limit))).toBe(256);
  });

  it('takes no delay of this process for load, where answers are faster than any model', () => {
    const server = { latencyMs: (inFlight: number) => Math.max(5, inFlight) };
    const limits = tailOf(simulate({ server }, seed)).map(({ limit }) => limit);
    expect(Math.min(...limits)).toBe(256);
  });

  it('comes back when answers turned slow for a reason of their own', () => {
    const server = {
      latencyMs: (_inFlight: number, _tokens: number, nowMs: number) => (nowMs > 60_000 ? 3_000 : 1_000),
    };
    const limits = tailOf(simulate({ server }, seed), 90_000).map(({ limit }) => limit);
    expect(mean(limits)).toBeGreaterThan(240);
  });

  it('stays below what makes the server refuse, most of the time', () => {
    const server = { latencyMs: () => BASE_MS, refuses: (inFlight: number) => inFlight > 40 };
    const limits = tailOf(simulate({ server }, seed)).map(({ limit }) => limit);
    expect(mean(limits)).toBeGreaterThan(30);
    expect(mean(limits)).toBeLessThanOrEqual(40);
  });

  it('falls to one while all is refused, and is back soon after', () => {
    const refuses = (_inFlight: number, nowMs: number) => nowMs > 30_000 && nowMs < 50_000;
    const samples = simulate({ server: { latencyMs: () => BASE_MS, refuses } }, seed);
    const limitAt = (atMs: number) => samples.find((sample) => sample.atMs === atMs)?.limit;
    expect(limitAt(49_000)).toBe(1);
    expect(limitAt(70_000)).toBeGreaterThan(200);
  });

  it('does not grow by calls that are not there', () => {
    const limits = simulate({ server: serverOf(40), demand: 5 }, seed).map(({ limit }) => limit);
    expect(Math.max(...limits)).toBe(10);
  });
});

it('stays within its bound', () => {
  const limits = simulate({ server: { latencyMs: () => 100 }, maxConcurrency: 7 }, 1).map(({ limit }) => limit);
  expect([Math.min(...limits), Math.max(...limits)]).toEqual([7, 7]);
});

it('goes back at once to where a test began that made answers no faster', () => {
  const concurrency = new AdaptiveConcurrency({ maxConcurrency: 64 });
  let nowMs = 0;
  const answerAll = (latencyMs: number) => {
    const inFlight = concurrency.limit;
    const startedAtMs = nowMs;
    nowMs += latencyMs;
    for (let call = 0; call < inFlight; call += 1) {
      concurrency.answered({ latencyMs, outputTokens: 100, startedAtMs, nowMs, inFlight });
    }
  };
  for (let turn = 0; turn < 20; turn += 1) answerAll(400);
  const limits = Array.from({ length: 12 }, () => {
    answerAll(1_600);
    return concurrency.limit;
  });
  expect([...new Set(limits)]).toEqual([64, 44]);
  expect(limits.at(-1)).toBe(64);
});
