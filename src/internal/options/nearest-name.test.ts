import { describe, expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

describe('nearestName', () => {
  it('finds a slip of the keyboard and nothing far away', () => {
    const names = ['acquireTimeoutMs', 'idleTimeoutMs', 'max'];
    expect(nearestName('aquireTimeoutMS', names)).toBe('acquireTimeoutMs');
    expect(nearestName('mx', names)).toBe('max');
    expect(nearestName('zebra', names)).toBeUndefined();
  });
});
