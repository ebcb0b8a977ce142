import { describe, expect, it } from 'vitest';
import { disagreements, optionPages, saysDefault } from './option-tables.ts';

describe('the doc comments of options', () => {
  it('say what each option means, and the default that its spec has', () => {
    expect(disagreements()).toEqual([]);
  });

  it('are printed in docs/guide; `node .ci/option-tables.ts` prints them anew', () => {
    for (const { current, printed } of optionPages()) expect(current).toBe(printed);
  });
});

it('compares a @defaultValue with the default of a spec', () => {
  expect(saysDefault('30_000', 30_000)).toBe(true);
  expect(saysDefault('67108864 (64 MiB)', 67_108_864)).toBe(true);
  expect(saysDefault("'low'", 'low')).toBe(true);
  expect(saysDefault('none', undefined)).toBe(true);
  expect(saysDefault('30_000', 3_000)).toBe(false);
  expect(saysDefault("'high'", 'low')).toBe(false);
  expect(saysDefault('on', false)).toBe(false);
  expect(saysDefault('', undefined)).toBe(false);
});
