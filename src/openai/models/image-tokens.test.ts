import { describe, expect, it } from 'vitest';
import { countPatches, estimateImageTokens, mostImageTokens, reservedImageTokens } from './image-tokens.ts';
import { createModelCatalog, type ModelOverrides, modelCatalog } from './model-catalog.ts';
import type { ImageDetail, ModelEntry } from './model-entry.ts';

const square = (model: string, side: number, detail: ImageDetail = 'high') =>
  estimateImageTokens({ model, width: side, height: side, detail });

describe('estimateImageTokens', () => {
  it("reproduces the worked figures of OpenAI's guides", () => {
    expect(['gpt-5', 'gpt-4o', 'gpt-4o-mini', 'o1'].map((model) => square(model, 1024))).toEqual([
      630, 765, 25_501, 675,
    ]);
    expect(countPatches({ width: 1800, height: 2400 }, { maxSidePx: 65_535, maxPatches: 1_536 })).toBe(1_452);
    expect(estimateImageTokens({ model: 'o4-mini', width: 1800, height: 2400, detail: 'high' })).toBe(
      Math.ceil(1_452 * 1.72),
    );
    expect(countPatches({ width: 4000, height: 3000 }, { maxSidePx: 65_535 })).toBe(11_750);
    expect([square('gpt-5.4', 1024), square('gpt-5.4', 2048)]).toEqual([1_229, 3_000]);
  });

  it('counts a tile more at the very pixel where one is needed', () => {
    // 1000×1333 is scaled to 768×1023, which is two tiles by two; 1000×1335 to 768×1025, two by three.
    const tokens = (height: number) => estimateImageTokens({ model: 'gpt-4o', width: 1000, height, detail: 'high' });
    expect([tokens(1333), tokens(1335)]).toEqual([85 + 4 * 170, 85 + 6 * 170]);
    const short = (width: number) => estimateImageTokens({ model: 'gpt-4o', width, height: 512, detail: 'high' });
    expect([short(512), short(513)]).toEqual([85 + 170, 85 + 2 * 170]);
  });

  it('charges the base alone for low detail of tile models', () => {
    expect(['gpt-5', 'gpt-4o', 'gpt-4o-mini', 'o3'].map((model) => square(model, 5_000, 'low'))).toEqual([
      70, 85, 2_833, 75,
    ]);
  });

  it('never passes the budget, whatever the shape', () => {
    for (const [width, height] of [
      [1, 100_000],
      [100_000, 1],
      [33, 60_000],
      [5_000, 5_000],
      [65_535, 31],
      [1, 1],
    ] as const) {
      for (const model of modelCatalog.names()) {
        for (const detail of ['low', 'high', 'original', 'auto'] as const) {
          const tokens = estimateImageTokens({ model, width, height, detail });
          expect(tokens).toBeGreaterThan(0);
          expect(tokens, `${model} ${detail} ${width}x${height}`).toBeLessThanOrEqual(
            mostImageTokens({ model, detail }) ?? Number.NaN,
          );
        }
      }
    }
  });

  it('takes dated snapshots, fine-tunes and extended names for their base', () => {
    const base = square('gpt-4.1-mini', 900);
    for (const name of [
      'gpt-4.1-mini-2025-04-14',
      'ft:gpt-4.1-mini-2025-04-14:acme::x1',
      'openai/gpt-4.1-mini',
      'gpt-4.1-mini-preview',
    ]) {
      expect(square(name, 900), name).toBe(base);
    }
    expect(modelCatalog.find('some-other-model')).toBeUndefined();
    expect(square('some-other-model', 900)).toBeUndefined();
    expect(mostImageTokens({ model: 'some-other-model' })).toBeUndefined();
    expect(reservedImageTokens({ model: 'some-other-model' }, { width: 900, height: 900 })).toBe(base);
  });

  it('can be corrected and extended', () => {
    const known = modelCatalog.find('gpt-4o') as ModelEntry;
    const catalog = createModelCatalog({
      mine: known,
      'gpt-5': { ...known, sizing: { kind: 'tile', baseTokens: 1, tileTokens: 0 } },
    });
    expect(estimateImageTokens({ model: 'mine', width: 1024, height: 1024, detail: 'high', catalog })).toBe(765);
    expect(estimateImageTokens({ model: 'gpt-5', width: 1024, height: 1024, detail: 'high', catalog })).toBe(1);
  });

  it('lists what is wrong with an entry', () => {
    const entry = { family: '', sizing: { kind: 'tile', baseTokens: -1 }, sizingProvenance: {}, prices: 1 };
    const make = () => createModelCatalog({ mine: entry } as unknown as ModelOverrides);
    for (const part of [
      'models["mine"].family',
      'baseTokens',
      'tileTokens',
      'readOn',
      'did you mean models["mine"].price?',
    ]) {
      expect(make, part).toThrow(part);
    }
    expect(() => createModelCatalog([] as unknown as ModelOverrides)).toThrow('by model name');
    expect(() => createModelCatalog({ mine: { ...entry, sizing: {} } } as unknown as ModelOverrides)).toThrow(
      "kind 'patch' or 'tile'",
    );
    const builtIn = Object.fromEntries(
      modelCatalog.names().map((name) => [name, modelCatalog.find(name) as ModelEntry]),
    );
    expect(createModelCatalog(builtIn).names()).toEqual(modelCatalog.names());
  });

  it('says of every number where it comes from', () => {
    for (const name of modelCatalog.names()) {
      const entry = modelCatalog.find(name);
      if (entry === undefined) throw new Error(name);
      // Retired models have no price any longer.
      const { sizingProvenance, price, limits } = entry;
      for (const provenance of [sizingProvenance, price?.provenance, limits?.provenance]) {
        if (provenance === undefined) continue;
        expect(provenance.source, name).toMatch(/openai\.com/);
        expect(provenance.readOn, name).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      }
    }
  });
});
