import { expect, it } from 'vitest';
import { costUsd } from './cost.ts';
import { modelCatalog } from './model-catalog.ts';
import { BUILT_IN_MODELS } from './model-data.ts';
import type { ModelEntry } from './model-entry.ts';

const MODELS = Object.entries(BUILT_IN_MODELS);
const named = (keep: (entry: ModelEntry) => boolean) => MODELS.filter(([, entry]) => keep(entry)).map(([name]) => name);

it('says of each model which efforts it takes, and its default is one of them', () => {
  for (const [name, { reasoningEfforts, defaultEffort, temperature }] of MODELS) {
    if (temperature === 'without-reasoning') expect(reasoningEfforts, name).toContain('none');
    if (reasoningEfforts === undefined) {
      expect([defaultEffort, temperature], name).toEqual([undefined, 'always']);
    } else {
      expect(reasoningEfforts, name).not.toHaveLength(0);
      expect(temperature, name).not.toBe('always');
      if (defaultEffort !== undefined) expect(reasoningEfforts, name).toContain(defaultEffort);
    }
  }
});

it('lists no effort that a model is known to refuse', () => {
  const lowest = (name: string) => modelCatalog.find(name)?.reasoningEfforts?.[0];
  expect(['gpt-6-astra', 'gpt-6.1-sol', 'o3'].map(lowest)).toEqual(['low', 'low', 'low']);
  expect(['gpt-6-luna', 'gpt-5.6', 'gpt-5.5', 'gpt-5.1'].map(lowest)).toEqual(['none', 'none', 'none', 'none']);
  expect(['gpt-5', 'gpt-5-mini'].map(lowest)).toEqual(['minimal', 'minimal']);
  expect(['gpt-4.1-mini', 'gpt-5-pro'].map(lowest)).toEqual([undefined, undefined]);
});

it('prices everything but what has no published price, and cache writes from gpt-5.6 on', () => {
  expect(named(({ price }) => price === undefined)).toEqual(['gpt-4.5']);
  const written = named(({ price }) => price?.cacheWrite !== undefined);
  expect(written).toEqual(named(({ family, price }) => /^gpt-(6|5\.6)/.test(family) && price !== undefined));
  expect(written).toContain('gpt-5.6');
  for (const [name, { price }] of MODELS) {
    if (price?.cacheWrite !== undefined) expect(price.cacheWrite, name).toBeCloseTo(price.input * 1.25, 12);
  }
});

it('counts on no promotion that has ended', () => {
  const { price } = modelCatalog.find('gpt-5.6-sol') ?? {};
  expect(price).toMatchObject({ input: 5, cachedInput: 0.5, output: 30 });
  expect(price?.provenance.uncertain).toContain('2026-11-21');
  expect(costUsd('gpt-5.6', { inputTokens: 1_000_000, outputTokens: 0 })).toBe(10);
});

it('says which models take flex, and detail original', () => {
  const without = ['gpt-4.1', 'gpt-4.1-mini', 'gpt-4.1-nano', 'gpt-4.5', 'gpt-4o', 'gpt-4o-mini', 'o1'];
  expect(named(({ flex }) => flex === false)).toEqual(without);
  expect(named(({ flex }) => flex === undefined)).toEqual([]);
  const original = named(({ sizing }) => sizing.kind === 'patch' && sizing.details.original !== undefined);
  expect(original).toEqual(named(({ family }) => /^gpt-(6|5\.[4-6])/.test(family)));
});

it('says which models OpenAI has announced to shut down', () => {
  const days = named(({ shutdownOn }) => shutdownOn !== undefined).map((name) => modelCatalog.find(name)?.shutdownOn);
  for (const day of days) expect(day).toMatch(/^202\d-\d\d-\d\d$/);
  expect(modelCatalog.find('gpt-4.1-mini')?.shutdownOn).toBe('2027-01-14');
  expect(modelCatalog.find('gpt-4.1-mini-preview')).not.toHaveProperty('shutdownOn');
});
