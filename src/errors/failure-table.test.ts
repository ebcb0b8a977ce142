import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from './error-code.ts';
import { FAILURE_SAMPLES } from './failure-samples.fixture.ts';
import { FAILURE_TABLE, failureMeaning } from './failure-table.ts';

describe('the table of failures', () => {
  it('has rows for every code, the last of which fits every case', () => {
    expect([...new Set(FAILURE_TABLE.map(({ code }) => code))]).toEqual([...ERROR_CODES]);
    for (const code of ERROR_CODES) {
      const cases = FAILURE_TABLE.filter((row) => row.code === code).map(({ when }) => when);
      expect([code, cases.indexOf(undefined)]).toEqual([code, cases.length - 1]);
    }
  });

  it.each(FAILURE_SAMPLES)('finds the row of $name', ({ row, makeError }) => {
    expect(failureMeaning(makeError())).toBe(row);
  });

  it.each(['DESCRIBE_OF_TOMORROW', 'constructor', '__proto__'])('concludes nothing from the code %s', (code) => {
    const failure = { code, retryable: true } as unknown as Parameters<typeof failureMeaning>[0];
    expect(failureMeaning(failure)).toMatchObject({
      isRetried: false,
      countsForBreaker: false,
      fallsBack: false,
    });
  });

  it.each(FAILURE_TABLE)('reads well in the row of $code, $when', ({ kind, isRetried, why = '.' }) => {
    expect(why).toMatch(/\.$/);
    // A code without a class in the retry policy is never retried.
    expect(!isRetried || ['outage', 'throttle', 'content'].includes(kind)).toBe(true);
  });
});
