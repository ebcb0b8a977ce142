import { describe, expect, it } from 'vitest';
import type { VisionUsage } from '../../batch-processor/index.ts';
import { createModelCatalog, modelCatalog } from '../../openai/models/model-catalog.ts';
import { pricing } from './pricing.ts';

const usage: VisionUsage = {
  promptTokens: 1_000_000,
  cachedPromptTokens: 750_000,
  completionTokens: 100_000,
  totalTokens: 1_100_000,
};

describe('pricing', () => {
  it("prices what came from the API's prompt cache at the catalog's price for that", () => {
    const priceOf = pricing(modelCatalog, []);
    expect(priceOf('gpt-4.1-mini-2025-04-14', 'gpt-4.1-mini', usage)).toBeCloseTo(
      0.25 * 0.4 + 0.75 * 0.1 + 0.1 * 1.6,
      12,
    );
  });

  it('prices it as any other input where the catalog has no price for it', () => {
    const mini = modelCatalog.find('gpt-4.1-mini');
    if (mini?.price === undefined) throw new Error('no price');
    const { cachedInput: _cachedInput, ...price } = mini.price;
    const priceOf = pricing(createModelCatalog({ mine: { ...mini, price } }), ['mine']);
    expect(priceOf('anything', 'mine', usage)).toBeCloseTo(0.4 + 0.16, 12);
  });

  it('prices the parts of a pack to the price of the whole', () => {
    const priceOf = pricing(modelCatalog, []);
    const share = (part: number): VisionUsage => ({
      promptTokens: 1_000_000 * part,
      cachedPromptTokens: 750_000 * part,
      completionTokens: 100_000 * part,
      totalTokens: 1_100_000 * part,
    });
    const parts = [0.5, 0.25, 0.25].map((part) => priceOf('gpt-4.1', 'gpt-4.1', share(part)) ?? Number.NaN);
    expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(priceOf('gpt-4.1', 'gpt-4.1', usage) ?? 0, 12);
  });
});
