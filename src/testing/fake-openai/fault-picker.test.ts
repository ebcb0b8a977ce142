import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FaultPicker, type FaultSubject } from './fault-picker.ts';
import type { FaultRule } from './fault-plan.ts';
import { describeImageFacts } from './image-facts.ts';
import { drawLatencyMs } from './latency.ts';
import { createTestImage } from './test-image.ts';

const subject = (number: number, more: Partial<FaultSubject> = {}): FaultSubject => ({
  number,
  endpoint: 'chat',
  apiKey: 'sk-fake',
  model: 'gpt-4o',
  stream: false,
  imageHashes: [],
  ...more,
});
const picker = (rules: readonly FaultRule[], seed = 1) => new FaultPicker({ rules }, seed);
const fixed = (ms: number): FaultRule => ({
  fault: { kind: 'latency', latency: { distribution: 'fixed', ms } },
});

describe('FaultPicker', () => {
  it('adds latencies up and takes the first other fault', () => {
    const rules: FaultRule[] = [fixed(40), { fault: { kind: 'hang' } }, { fault: { kind: 'refusal' } }, fixed(2)];
    expect(picker(rules).pick(subject(1))).toEqual({ fault: { kind: 'hang' }, billed: false, latencyMs: 42 });
    expect(picker([fixed(5)]).pick(subject(1))).toEqual({ fault: undefined, billed: true, latencyMs: 5 });
  });

  it('spends the times of a rule only where it is applied', () => {
    const twice = picker([
      { when: { requests: 1 }, fault: { kind: 'hang' } },
      { times: 1, fault: { kind: 'refusal' } },
    ]);
    const kinds = [1, 2, 3].map((number) => twice.pick(subject(number)).fault?.kind);
    expect(kinds).toEqual(['hang', 'refusal', undefined]);
  });

  it('draws by number, whatever the order of arrival', () => {
    const rules: FaultRule[] = [{ when: { probability: 0.3 }, fault: { kind: 'hang' } }];
    fc.assert(
      fc.property(fc.integer(), fc.shuffledSubarray(Array.from({ length: 50 }, (_, at) => at + 1)), (seed, order) => {
        const inOrder = picker(rules, seed);
        const expected = new Map(
          [...order].sort((a, b) => a - b).map((number) => [number, inOrder.pick(subject(number)).fault]),
        );
        const shuffled = picker(rules, seed);
        for (const number of order) expect(shuffled.pick(subject(number)).fault).toEqual(expected.get(number));
      }),
      { seed: 20_261_122, numRuns: 50 },
    );
  });

  it('keeps to the probability, and rules draw apart', () => {
    const rule: FaultRule = { when: { probability: 0.2 }, fault: { kind: 'hang' } };
    const other: FaultRule = { when: { probability: 0.2 }, fault: { kind: 'refusal' } };
    const both = picker([rule, other], 5);
    const kinds = Array.from({ length: 10_000 }, (_, at) => both.pick(subject(at + 1)).fault?.kind);
    const share = (kind: string) => kinds.filter((found) => found === kind).length / kinds.length;
    expect(share('hang')).toBeGreaterThan(0.18);
    expect(share('hang')).toBeLessThan(0.22);
    expect(share('refusal')).toBeGreaterThan(0.14);
    expect(share('refusal')).toBeLessThan(0.18);
  });

  it('gives an image the same fate at every request, when drawn per image', () => {
    const perImage = picker([{ when: { probability: 0.5, drawPer: 'image' }, fault: { kind: 'hang' } }]);
    const hashes = Array.from({ length: 40 }, (_, seed) => describeImageFacts(createTestImage({ seed })).slice(-12));
    const fates = hashes.map((hash) =>
      [1, 2, 3].map((number) => perImage.pick(subject(number, { imageHashes: [hash] })).fault?.kind),
    );
    for (const fate of fates) expect(new Set(fate).size).toBe(1);
    expect(new Set(fates.flat())).toEqual(new Set(['hang', undefined]));
  });

  it('bills what was answered, unless the rule says otherwise', () => {
    const billed = (rule: FaultRule) => picker([rule]).pick(subject(1)).billed;
    expect(billed({ fault: { kind: 'stall' } })).toBe(true);
    expect(billed({ fault: { kind: 'reset', at: 'mid-body' } })).toBe(true);
    expect(billed({ fault: { kind: 'reset', at: 'before-answer' } })).toBe(false);
    expect(billed({ fault: { kind: 'error', status: 500 } })).toBe(false);
    expect(billed({ fault: { kind: 'hang' }, billed: true })).toBe(true);
  });
});

describe('drawLatencyMs', () => {
  const draws = (latency: Parameters<typeof drawLatencyMs>[0]) =>
    Array.from({ length: 4000 }, (_, index) => drawLatencyMs(latency, 3, index)).sort((a, b) => a - b);

  it('is uniform between its bounds', () => {
    const drawn = draws({ distribution: 'uniform', minMs: 10, maxMs: 20 });
    expect(drawn[0]).toBeGreaterThanOrEqual(10);
    expect(drawn.at(-1)).toBeLessThanOrEqual(20);
    expect(drawn[2000]).toBeCloseTo(15, 0);
  });

  it('is log-normal with the median and the tail that its sigma means', () => {
    const drawn = draws({ distribution: 'log-normal', medianMs: 100, sigma: 0.5, maxMs: 300 });
    expect(drawn[2000]).toBeGreaterThan(95);
    expect(drawn[2000]).toBeLessThan(105);
    expect(drawn[3800]).toBeGreaterThan(205);
    expect(drawn[3800]).toBeLessThan(245);
    expect(drawn.at(-1)).toBe(300);
  });
});
