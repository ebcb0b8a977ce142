import { type ModelCatalog, modelCatalog } from './model-catalog.ts';

/** Tokens that a call was billed. */
export interface TokenUsage {
  /** All input tokens, those from the prompt cache included. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The part of the input that came from the prompt cache. @defaultValue 0 */
  readonly cachedInputTokens?: number | undefined;
  /** The part of the input that was written into the prompt cache, and not read from it. @defaultValue 0 */
  readonly cacheWriteTokens?: number | undefined;
}

/** The `usage` of an answer of the Chat Completions API or of the Responses API. */
export type ApiUsage =
  | {
      readonly prompt_tokens: number;
      readonly completion_tokens: number;
      readonly prompt_tokens_details?: CacheDetails | null | undefined;
    }
  | {
      readonly input_tokens: number;
      readonly output_tokens: number;
      readonly input_tokens_details?: CacheDetails | null | undefined;
    };

interface CacheDetails {
  readonly cached_tokens?: number | undefined;
  readonly cache_write_tokens?: number | undefined;
}

/** One form for the usage of both APIs. */
export function tokenUsage(usage: ApiUsage): TokenUsage {
  if ('prompt_tokens' in usage) {
    return {
      inputTokens: usage.prompt_tokens,
      outputTokens: usage.completion_tokens,
      ...cacheTokens(usage.prompt_tokens_details),
    };
  }
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    ...cacheTokens(usage.input_tokens_details),
  };
}

const cacheTokens = (details: CacheDetails | null | undefined) => ({
  cachedInputTokens: details?.cached_tokens ?? 0,
  cacheWriteTokens: details?.cache_write_tokens ?? 0,
});

export interface CostOptions {
  /** `batch` and `flex` cost half. @defaultValue 'standard' */
  readonly tier?: 'standard' | 'batch' | 'flex' | undefined;
  /** @defaultValue the built-in models */
  readonly catalog?: ModelCatalog | undefined;
}

const TOKENS_PER_PRICE = 1_000_000;
const HALF_PRICE = 0.5;

/**
 * US dollars that a call cost, at the catalog's prices; `undefined` for a model without a known price.
 *
 * @example
 * ```ts
 * import { costUsd } from '@describe-it/sdk/openai';
 *
 * costUsd('gpt-4.1-mini', { inputTokens: 1_000_000, outputTokens: 0 }); // 0.4
 * ```
 */
export function costUsd(
  model: string,
  usage: TokenUsage,
  { tier = 'standard', catalog = modelCatalog }: CostOptions = {},
): number | undefined {
  const price = catalog.find(model)?.price;
  if (price === undefined) return undefined;
  const { inputTokens, outputTokens, cachedInputTokens = 0, cacheWriteTokens = 0 } = usage;
  const { longContext } = price;
  const rates = longContext !== undefined && inputTokens > longContext.aboveInputTokens ? longContext : price;
  const cached = Math.min(Math.max(0, cachedInputTokens), inputTokens);
  const written = Math.min(Math.max(0, cacheWriteTokens), inputTokens - cached);
  const sum =
    (inputTokens - cached - written) * rates.input +
    cached * (rates.cachedInput ?? rates.input) +
    written * (rates.cacheWrite ?? rates.input) +
    outputTokens * rates.output;
  return roundUsd((sum / TOKENS_PER_PRICE) * (tier === 'standard' ? 1 : HALF_PRICE));
}

/** A step is a millionth of the lowest price of a token, far above the noise of floating-point sums. */
const USD_STEPS = 1e12;

/** Removes the noise of floating-point sums, as in 0.1 + 0.2. */
export const roundUsd = (usd: number): number => Math.round(usd * USD_STEPS) / USD_STEPS;
