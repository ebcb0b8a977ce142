import type { ChatCompletion } from 'openai/resources/chat/completions';

/** Tokens that were billed. */
export interface VisionUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
}

/** What an answer says it cost; `undefined` when it says nothing, as some compatible servers do. */
export function usageOf({ usage }: ChatCompletion): VisionUsage | undefined {
  if (usage == null) return undefined;
  const {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: totalTokens,
  } = usage;
  return { promptTokens, completionTokens, totalTokens };
}

export function addUsage(left: VisionUsage | undefined, right: VisionUsage): VisionUsage {
  if (left === undefined) return right;
  return {
    promptTokens: left.promptTokens + right.promptTokens,
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
  const completion = splitInteger(usage.completionTokens, completionWeights);
  // A total is the sum of both, but for servers that count more into it.
  const rest = splitInteger(usage.totalTokens - usage.promptTokens - usage.completionTokens, promptWeights);
  return promptWeights.map((_, index) => {
    const promptTokens = prompt[index] ?? 0;
    const completionTokens = completion[index] ?? 0;
    return {
      promptTokens,
      completionTokens,
      totalTokens: promptTokens + completionTokens + (rest[index] ?? 0),
    };
  });
}

/**
 * Whole numbers that add up to `total`, each within 1 of its proportional share; equal shares when no weight is above 0.
 * Shape: the largest-remainder method (Hamilton, 1792).
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
