import { describe, expect, it } from 'vitest';
import { durationText } from './duration-text.ts';
import { PoolTimeoutError } from './pool-error.ts';
import { TimeoutError } from './timeout-error.ts';

describe('durationText', () => {
  it.each([
    [30_000, '30000 ms'],
    [1_234.567_890_1, '1235 ms'],
    [9.999_999, '10 ms'],
    [3.055, '3.1 ms'],
    [0.137_169_000_001, '0.14 ms'],
    [0.1 + 0.2, '0.3 ms'],
    [0, '0 ms'],
  ])('writes %d without noise', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it('writes the bounds in errors, whose fields keep the number', () => {
    const timeoutMs = 0.137_169_000_001;
    for (const error of [new TimeoutError('it', timeoutMs), new PoolTimeoutError('it', timeoutMs)]) {
      expect(error.message).toContain('0.14 ms');
      expect(error.timeoutMs).toBe(timeoutMs);
    }
  });
});
