import type { VisionUsage } from '../../batch-processor/packs/vision-usage.ts';
import { costUsd } from '../../openai/models/cost.ts';
import type { ModelCatalog } from '../../openai/models/model-catalog.ts';

/** Price of the tokens that an answer was billed. */
export type PriceOf = (answered: string, asked: string, usage: VisionUsage) => number | undefined;

/**
 * Prices by the model that answered. It uses the requested model where only that one has a price, as with compatible
 * servers. It also does where the caller has set a price for the requested name, as for a deployment.
 */
export const pricing =
  (catalog: ModelCatalog, ownModels: readonly string[]): PriceOf =>
  (answered, asked, { promptTokens, cachedPromptTokens, cacheWritePromptTokens, completionTokens }) => {
    const usage = {
      inputTokens: promptTokens,
      cachedInputTokens: cachedPromptTokens,
      cacheWriteTokens: cacheWritePromptTokens,
      outputTokens: completionTokens,
    };
    const [first, second] = ownModels.includes(asked) ? [asked, answered] : [answered, asked];
    return costUsd(first, usage, { catalog }) ?? costUsd(second, usage, { catalog });
  };
