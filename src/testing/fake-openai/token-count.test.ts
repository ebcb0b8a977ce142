import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundsOf, countImageTokens, countPatches, countTiles } from './token-count.ts';
import { findModel, MODEL_TABLE } from './token-table.ts';

const ruleOf = (name: string) => {
  const model = findModel(MODEL_TABLE, name);
  if (model === undefined) throw new Error(name);
  return model.images;
};
const patchRuleOf = (name: string) => {
  const rule = ruleOf(name);
  if (rule.by !== 'patches') throw new Error(name);
  return rule;
};
const square = { width: 1024, height: 1024 };

describe('countImageTokens', () => {
  it.each([
    ['gpt-5', 630],
    ['gpt-4o', 765],
    ['gpt-4o-mini', 25_501],
    ['o3', 675],
  ])("gives the guide's own number for 1024² at high detail: %s", (name, tokens) => {
    expect(countImageTokens(ruleOf(name), square, 'high')).toBe(tokens);
  });

  it('scales to the patch budget as the guide works it out', () => {
    expect(countPatches({ width: 1800, height: 2400 }, { maxSidePx: 65_535, maxPatches: 1536 })).toBe(1452);
    expect(countImageTokens(ruleOf('gpt-4.1-mini'), square, 'high')).toBe(Math.ceil(1024 * 1.62));
    expect(countImageTokens(ruleOf('gpt-4.1-nano'), square, 'high')).toBe(Math.ceil(1024 * 2.46));
    expect(countImageTokens(ruleOf('o4-mini'), square, 'high')).toBe(Math.ceil(1024 * 1.72));
    expect(countImageTokens(ruleOf('gpt-5.4'), square, 'high')).toBe(1229);
    expect(countImageTokens(ruleOf('gpt-5.4'), { width: 2048, height: 2048 }, 'high')).toBe(3000);
  });

  it('takes original for auto on the newest models', () => {
    const photo = { width: 4000, height: 3000 };
    expect(countPatches(photo, boundsOf(patchRuleOf('gpt-5.6-sol')))).toBe(11_750);
    for (const [name, auto] of [
      ['gpt-5.6-sol', 'original'],
      ['gpt-5.5', 'original'],
      ['gpt-5.4', 'high'],
      ['gpt-5.2', 'high'],
    ] as const) {
      expect(countImageTokens(ruleOf(name), photo), name).toBe(countImageTokens(ruleOf(name), photo, auto));
    }
    expect(countImageTokens(ruleOf('gpt-5.5'), photo)).toBeGreaterThan(
      countImageTokens(ruleOf('gpt-5.5'), photo, 'high'),
    );
  });

  it('charges low detail the base of tile models, and what fits into 512² of those that have it', () => {
    const photo = { width: 4000, height: 3000 };
    expect(countImageTokens(ruleOf('gpt-4o'), photo, 'low')).toBe(85);
    expect(countImageTokens(ruleOf('gpt-5'), square, 'low')).toBe(70);
    expect(countImageTokens(ruleOf('gpt-5-mini'), square, 'low')).toBe(Math.ceil(256 * 1.62));
    expect(countImageTokens(ruleOf('gpt-5.5'), photo, 'low')).toBe(Math.ceil(16 * 12 * 1.2));
    expect(countImageTokens(ruleOf('gpt-4.1-mini'), photo, 'low')).toBe(
      countImageTokens(ruleOf('gpt-4.1-mini'), photo, 'high'),
    );
  });

  it('counts tiles after fitting into 2048² and 768', () => {
    expect(countTiles({ width: 512, height: 512 })).toBe(1);
    expect(countTiles({ width: 2048, height: 4096 })).toBe(6);
    expect(countTiles({ width: 4096, height: 8192 })).toBe(6);
    expect(countTiles({ width: 20_000, height: 1 })).toBe(4);
  });

  it('never passes the budget and never falls to nothing', () => {
    const side = fc.integer({ min: 1, max: 60_000 });
    fc.assert(
      fc.property(side, side, fc.integer({ min: 16, max: 10_000 }), (width, height, budget) => {
        const patches = countPatches({ width, height }, { maxSidePx: 65_535, maxPatches: budget });
        expect(patches).toBeGreaterThanOrEqual(1);
        expect(patches).toBeLessThanOrEqual(budget);
        expect(patches).toBeLessThanOrEqual(Math.ceil(width / 32) * Math.ceil(height / 32));
      }),
      { seed: 20_261_122 },
    );
  });
});

describe('findModel', () => {
  it('knows dated names of its models and no others', () => {
    expect(findModel(MODEL_TABLE, 'gpt-4o-2024-08-06')).toBe(MODEL_TABLE['gpt-4o']);
    expect(findModel(MODEL_TABLE, 'gpt-4o-2024')).toBeUndefined();
    expect(findModel(MODEL_TABLE, 'toString')).toBeUndefined();
  });
});
