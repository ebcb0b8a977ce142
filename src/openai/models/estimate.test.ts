import { describe, expect, it } from 'vitest';
import { QuotaBucket } from '../../testing/fake-openai/quota-bucket.ts';
import { roundUsd } from './cost.ts';
import { estimateCall, estimateSpending, type PaceLimits, type PlannedCall } from './estimate.ts';

const call: PlannedCall = {
  model: 'gpt-4o',
  images: [{ width: 1024, height: 1024 }],
  detail: 'high',
  prompt: 'Describe this image.',
  maxOutputTokens: 300,
};

/** The end of the last call, if each is sent as soon as the fake server's buckets and a slot are free. */
function simulatedMs(calls: readonly PlannedCall[], limits: PaceLimits): number {
  const { requestsPerMinute = 1e9, tokensPerMinute = 1e12, maxConcurrency = 16, callMs = 3_000 } = limits;
  let nowMs = 0;
  const clock = { now: () => nowMs, setTimeout: () => 0, clearTimeout: () => {} };
  const bucket = (limit: number) => new QuotaBucket(limit, 60_000, limit / 60, clock);
  const [requests, tokens] = [bucket(requestsPerMinute), bucket(tokensPerMinute)];
  const places = Array.from({ length: maxConcurrency }, () => 0);
  for (const planned of calls) {
    const { reservedTokens = Number.NaN } = estimateCall(planned);
    places.sort((a, b) => a - b);
    nowMs = Math.max(nowMs, places[0] ?? 0);
    nowMs += Math.max(requests.waitMs(1), tokens.waitMs(reservedTokens));
    requests.take(1);
    tokens.take(reservedTokens);
    places[0] = nowMs + callMs;
  }
  return Math.max(...places);
}

describe('estimateSpending', () => {
  it('adds calls up', () => {
    const calls = Array.from({ length: 1_000 }, () => call);
    const total = estimateSpending(calls);
    expect(total).toMatchObject({ calls: 1_000, images: 1_000, unpricedCalls: 0, outputTokens: 300_000 });
    expect(total.inputTokens).toBe(1_000 * 776);
    // Exact: the noise of floating-point sums must not count as money.
    expect(total.costUsd).toBe(roundUsd(1_000 * (estimateCall(call).costUsd ?? 0)));
    expect(estimateSpending([], { requestsPerMinute: 1 })).toEqual({
      calls: 0,
      images: 0,
      inputTokens: 0,
      outputTokens: 0,
      costUsd: 0,
      unpricedCalls: 0,
      unknownModels: [],
      durationMs: 0,
    });
  });

  it('has no sum that leaves a call out', () => {
    const unpriced = estimateSpending([call, { ...call, model: 'gpt-4.5' }]);
    expect(unpriced).toMatchObject({ unpricedCalls: 1, unknownModels: [], inputTokens: 2 * 776, durationMs: 3_000 });
    expect(unpriced).not.toHaveProperty('costUsd');
    const calls = [call, { ...call, model: 'mine' }, { ...call, model: 'mine', images: [] }];
    const unknown = estimateSpending(calls, { requestsPerMinute: 60 });
    expect(unknown).toEqual({
      calls: 3,
      images: 2,
      outputTokens: 900,
      unpricedCalls: 2,
      unknownModels: ['mine'],
      durationMs: 5_000,
    });
    expect(estimateSpending(calls, { tokensPerMinute: 1_000_000 })).not.toHaveProperty('durationMs');
  });

  it('lists the first unknown models of a million calls', () => {
    const calls = Array.from({ length: 1_000 }, (_, index) => ({ ...call, model: `mine-${index}` }));
    expect(estimateSpending(calls).unknownModels).toEqual(Array.from({ length: 10 }, (_, index) => `mine-${index}`));
  });

  it('takes the time of the slowest limit', () => {
    const calls = Array.from({ length: 1_001 }, () => call);
    const ms = (limits: PaceLimits) => estimateSpending(calls, limits).durationMs;
    expect(ms({ requestsPerMinute: 100 })).toBe(600_000 + 3_000);
    expect(ms({ tokensPerMinute: 77_600 })).toBe(600_000 + 3_000);
    expect(ms({ maxConcurrency: 11, callMs: 2_000 })).toBe(91 * 2_000);
    expect(ms({ requestsPerMinute: 100, tokensPerMinute: 776, maxConcurrency: 11 })).toBe(60_000_000 + 3_000);
    expect(estimateSpending([call], { requestsPerMinute: 1, callMs: 70 }).durationMs).toBe(70);
  });

  it("comes within 2 % of the time that the fake server's limits take", () => {
    const mixed = Array.from({ length: 400 }, (_, index) => ({
      ...call,
      maxOutputTokens: [100, 900, 3_000][index % 3] ?? 0,
    }));
    const pace: readonly PaceLimits[] = [
      { requestsPerMinute: 60 },
      { requestsPerMinute: 500, callMs: 1_000 },
      { tokensPerMinute: 30_000 },
      { tokensPerMinute: 2_000_000, requestsPerMinute: 3_500 },
      { maxConcurrency: 7, callMs: 2_500 },
      { requestsPerMinute: 600, tokensPerMinute: 10_000, maxConcurrency: 3, callMs: 4_000 },
      { requestsPerMinute: 20, tokensPerMinute: 60_000, maxConcurrency: 4 },
    ];
    for (const limits of pace) {
      const actualMs = simulatedMs(mixed, limits);
      const { durationMs = Number.NaN } = estimateSpending(mixed, limits);
      expect(
        Math.abs(durationMs - actualMs) / actualMs,
        `${JSON.stringify(limits)}: ${durationMs}, ${actualMs}`,
      ).toBeLessThanOrEqual(0.02);
    }
    // Three limits that are equally slow.
    const even = { requestsPerMinute: 60, tokensPerMinute: 60_000, maxConcurrency: 2 };
    const ratio = simulatedMs(mixed, even) / (estimateSpending(mixed, even).durationMs ?? Number.NaN);
    expect(ratio).toBeGreaterThan(1);
    expect(ratio).toBeLessThan(1.25);
  });
});
