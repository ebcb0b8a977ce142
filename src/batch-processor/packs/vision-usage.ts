import type { ChatCompletion } from 'openai/resources/chat/completions';
import type { VisionUsage } from '../../errors/vision-usage.ts';

export type { VisionUsage } from '../../errors/vision-usage.ts';

/**
 * What an answer says it cost; `undefined` when it says nothing, or nothing of sense, as some compatible servers do.
 */
export function usageOf(completion: ChatCompletion | null | undefined): VisionUsage | undefined {
  const {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens,
    prompt_tokens_details: details,
  } = completion?.usage ?? {};
  if (!isCount(promptTokens) || !isCount(completionTokens)) return undefined;
  // At least the parts, and of the cache no more than the whole, whatever a compatible server says.
  const sum = promptTokens + completionTokens;
  const totalTokens = isCount(total_tokens) ? Math.max(total_tokens, sum) : sum;
  const { cached_tokens } = details ?? {};
  const cached = isCount(cached_tokens) ? Math.min(cached_tokens, promptTokens) : 0;
  return { promptTokens, ...cachedPart(cached), completionTokens, totalTokens };
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && Number.isSafeInteger(value);

const cachedPart = (cachedPromptTokens: number): Pick<VisionUsage, 'cachedPromptTokens'> =>
  cachedPromptTokens > 0 ? { cachedPromptTokens } : {};

export function addUsage(left: VisionUsage | undefined, right: VisionUsage): VisionUsage {
  if (left === undefined) return right;
  return {
    promptTokens: left.promptTokens + right.promptTokens,
    ...cachedPart((left.cachedPromptTokens ?? 0) + (right.cachedPromptTokens ?? 0)),
    completionTokens: left.completionTokens + right.completionTokens,
    totalTokens: left.totalTokens + right.totalTokens,
  };
}

/** Shares a usage out by weight; each column of the shares adds up to the whole. */
export function splitUsage(
  usage: VisionUsage,
  promptWeights: readonly number[],
  completionWeights: readonly number[],
): VisionUsage[] {
  const prompt = splitInteger(usage.promptTokens, promptWeights);
  // By the parts of the prompt, so that no part is more cached than it is long.
  const cached = splitInteger(usage.cachedPromptTokens ?? 0, prompt);
  const completion = splitInteger(usage.completionTokens, completionWeights);
  // A total is the sum of both, but for servers that count more into it.
  const rest = splitInteger(usage.totalTokens - usage.promptTokens - usage.completionTokens, promptWeights);
  return promptWeights.map((_, index) => {
    const promptTokens = prompt[index] ?? 0;
    const completionTokens = completion[index] ?? 0;
    return {
      promptTokens,
      ...cachedPart(cached[index] ?? 0),
      completionTokens,
      totalTokens: promptTokens + completionTokens + (rest[index] ?? 0),
    };
  });
}

/**
 * Whole numbers that add up to `total`, each within 1 of its proportional share; equal shares when no weight is above
 * 0. Shape: the largest-remainder method (Hamilton, 1792).
 */
export function splitInteger(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((left, right) => left + right, 0);
  const exact = weights.map((weight) => (sum > 0 ? (total * weight) / sum : total / weights.length));
  const parts = exact.map(Math.floor);
  let left = total - parts.reduce((before, part) => before + part, 0);
  const byRemainder = exact
    .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
    .sort((one, other) => other.remainder - one.remainder || one.index - other.index);
  for (const { index } of byRemainder) {
    if (left <= 0) break;
    parts[index] = (parts[index] ?? 0) + 1;
    left -= 1;
  }
  return parts;
}
