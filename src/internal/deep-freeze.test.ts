import { describe, expect, it } from 'vitest';
import { deepFreeze } from './deep-freeze.ts';

describe('deepFreeze', () => {
  it('freezes all the way down, cycles included, and leaves binary views alone', () => {
    const bytes = new Uint8Array(1);
    const value: Record<string, unknown> = { list: [{ deep: 1 }], bytes };
    value['self'] = value;
    deepFreeze(value);
    expect(Object.isFrozen((value['list'] as object[])[0])).toBe(true);
    expect(Object.isFrozen(bytes)).toBe(false);
  });
});
