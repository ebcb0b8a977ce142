import { describe, expect, it } from 'vitest';
import { parseRunOptions } from './run-options.ts';

describe('parseRunOptions', () => {
  it('reads every option', () => {
    expect(parseRunOptions(['--grep', 'Cache', '--json', 'out.json', '--rounds', '9', '--resume'])).toEqual({
      grep: 'cache',
      json: 'out.json',
      rounds: 9,
      sliceMs: undefined,
      warmUpMs: undefined,
      quick: false,
      resume: true,
    });
  });

  it('makes a quick run short, and lets --rounds win over it', () => {
    expect(parseRunOptions(['--quick'])).toMatchObject({ rounds: 3, sliceMs: 15, warmUpMs: 0 });
    expect(parseRunOptions(['--quick', '--rounds', '9'])).toMatchObject({ rounds: 9, sliceMs: 15 });
  });

  it('refuses what it does not know and rounds that give no interval', () => {
    expect(() => parseRunOptions(['--fast'])).toThrow('--fast');
    expect(() => parseRunOptions(['--rounds', '1'])).toThrow('at least 2');
  });
});
