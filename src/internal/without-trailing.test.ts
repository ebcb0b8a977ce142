import { describe, expect, it } from 'vitest';
import { withoutTrailing } from './without-trailing.ts';

describe('withoutTrailing', () => {
  it.each([
    ['a//', 'a'],
    ['a/b', 'a/b'],
    ['///', ''],
    ['', ''],
  ])('cuts %s', (text, cut) => {
    expect(withoutTrailing(text, '/')).toBe(cut);
  });

  it('looks once at each character, where a pattern would take hours', () => {
    const text = `a${'/'.repeat(1_000_000)}b`;
    expect(withoutTrailing(text, '/')).toBe(text);
  });
});
