import type { VisionUsage } from '../../errors/vision-usage.ts';
import type { VisionRequest } from './vision-request.ts';

export type { VisionUsage } from '../../errors/vision-usage.ts';

/** The parts of a prompt that the API read from its cache and wrote into it, each only where it is above 0. */
export const cacheParts = (
  cachedPromptTokens: number,
  cacheWritePromptTokens: number,
): Pick<VisionUsage, 'cachedPromptTokens' | 'cacheWritePromptTokens'> => ({
  ...(cachedPromptTokens > 0 ? { cachedPromptTokens } : {}),
  ...(cacheWritePromptTokens > 0 ? { cacheWritePromptTokens } : {}),
});

export function addUsage(left: VisionUsage | undefined, right: VisionUsage): VisionUsage {
  if (left === undefined) return right;
  return {
    promptTokens: left.promptTokens + right.promptTokens,
    ...cacheParts(
      (left.cachedPromptTokens ?? 0) + (right.cachedPromptTokens ?? 0),
      (left.cacheWritePromptTokens ?? 0) + (right.cacheWritePromptTokens ?? 0),
    ),
    completionTokens: left.completionTokens + right.completionTokens,
    totalTokens: left.totalTokens + right.totalTokens,
  };
}

/** Splits a usage by weight; each column of the parts adds up to the whole. */
export function splitUsage(
  usage: VisionUsage,
  promptWeights: readonly number[],
  completionWeights: readonly number[],
): VisionUsage[] {
  const prompt = splitInteger(usage.promptTokens, promptWeights);
  // Split by the parts of the prompt, so that no part has more cached tokens than prompt tokens.
  const cached = splitInteger(usage.cachedPromptTokens ?? 0, prompt);
  const written = splitInteger(usage.cacheWritePromptTokens ?? 0, prompt);
  const completion = splitInteger(usage.completionTokens, completionWeights);
  // A total is the sum of both, except for servers that count more into it.
  const rest = splitInteger(usage.totalTokens - usage.promptTokens - usage.completionTokens, promptWeights);
  return promptWeights.map((_, index) => {
    const promptTokens = prompt[index] ?? 0;
    const completionTokens = completion[index] ?? 0;
    return {
      promptTokens,
      ...cacheParts(cached[index] ?? 0, written[index] ?? 0),
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

/** Called with the tokens that an image was billed, and the model that answered as the API named it. */
export type BillingListener = (usage: VisionUsage, model: unknown) => void;

const listeners = new WeakMap<VisionRequest, BillingListener>();

/** Calls `listener` for every answer's part that is charged to this very request, when the answer comes. */
export function onBilled(request: VisionRequest, listener: BillingListener): void {
  listeners.set(request, listener);
}

export function notifyBilled(request: VisionRequest, usage: VisionUsage, model: unknown): void {
  listeners.get(request)?.(usage, model);
}
