import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decorrelatedJitterDelay, exponentialDelay, fullJitterDelay } from './backoff.ts';

const shape = fc
  .record({ initialDelayMs: fc.integer({ min: 1, max: 5000 }), extra: fc.integer({ min: 0, max: 60_000 }) })
  .map(({ initialDelayMs, extra }) => ({ initialDelayMs, maxDelayMs: initialDelayMs + extra }));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoff', () => {
  it('doubles from the initial delay up to the cap', () => {
    const options = { initialDelayMs: 100, maxDelayMs: 1000 };
    expect([1, 2, 3, 4, 5, 50].map((attempt) => exponentialDelay(attempt, options))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
  });

  it('keeps full jitter between zero and the exponential delay', () => {
    fc.assert(
      fc.property(shape, random, fc.integer({ min: 1, max: 100 }), (options, sample, attempt) => {
        const delayMs = fullJitterDelay(attempt, options, () => sample);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(exponentialDelay(attempt, options));
      }),
    );
  });

  it('keeps decorrelated jitter between the initial delay and the cap', () => {
    fc.assert(
      fc.property(shape, fc.array(random, { minLength: 1, maxLength: 50 }), (options, samples) => {
        let delayMs = options.initialDelayMs;
        for (const sample of samples) {
          delayMs = decorrelatedJitterDelay(delayMs, options, () => sample);
          expect(delayMs).toBeGreaterThanOrEqual(options.initialDelayMs);
          expect(delayMs).toBeLessThanOrEqual(options.maxDelayMs);
        }
      }),
    );
  });
});
