import { describe, expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

describe('nearestName', () => {
  it('finds a slip of the keyboard and nothing far away', () => {
    const names = ['acquireTimeoutMs', 'idleTimeoutMs', 'max'];
    expect(nearestName('aquireTimeoutMS', names)).toBe('acquireTimeoutMs');
    expect(nearestName('mx', names)).toBe('max');
    expect(nearestName('modle', ['mode12', 'model'])).toBe('model');
    expect(nearestName('zebra', names)).toBeUndefined();
  });

  it.each([
    ['threshold', 'failureThreshold', ['errorThresholdPercentage', 'failureThreshold']],
    ['maxWaitMs', 'maxBatchWaitMs', ['maxWaiting', 'maxBatchWaitMs']],
    ['attempts', 'maxAttempts', ['maxAttempts', 'maxDelayMs']],
    ['maxRetries', 'retry', ['timeoutMs', 'retry']],
    ['ttl_seconds', 'ttlSeconds', ['tagTrustMs', 'ttlSeconds']],
    ['max', 'maxSize', ['minSize', 'maxSize']],
    ['maxRedirects', undefined, ['maxSize', 'minSize']],
  ])('finds the name that shares its words: %s is %s', (name, meant, names) => {
    expect(nearestName(name, names)).toBe(meant);
  });
});
