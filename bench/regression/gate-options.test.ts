import { describe, expect, it } from 'vitest';
import { parseGateOptions } from './gate-options.ts';

const parse = (...args: readonly string[]) => parseGateOptions(args, () => 7);

describe('parseGateOptions', () => {
  it('takes six minutes and a drawn seed where nothing is given', () => {
    expect(parse()).toMatchObject({ budgetMinutes: 6, seed: 7, base: undefined, grep: undefined, printBase: false });
    expect(parse('--seed', '12', '--budget-minutes', '1.5', '--grep', 'cache')).toMatchObject({
      seed: 12,
      budgetMinutes: 1.5,
      grep: 'cache',
    });
  });

  it.each([
    [['--base', 'main', '--tarball', 'a.tgz'], 'give one of them'],
    [['--budget-minutes', 'long'], '--budget-minutes: expected a number from 0.5 to 60, got long'],
    [['--budget-minutes', '0'], 'got 0'],
    [['--seed', '-1'], '--seed'],
    [['--seed', '1.5'], '--seed: expected a whole number'],
    [['--bas', 'main'], '--bas'],
    [['main'], 'main'],
  ])('refuses %j', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });
});
