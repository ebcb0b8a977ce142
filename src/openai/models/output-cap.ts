import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';
import type { ModelEntry } from './model-entry.ts';

/**
 * Tokens that a reasoning model may think with at its lowest effort, where its entry says nothing else. Source:
 * gateways whose users got empty, billed answers from the limit of the text alone (BerriAI/litellm#26087).
 */
export const REASONING_HEADROOM_TOKENS = 1_024;

/**
 * The output limit that is sent, in tokens. Reasoning counts against the limit of an answer, so a model that reasons
 * gets headroom over the tokens of the text. It stays within the most that the model writes.
 * @param effort - The effort of the request. @defaultValue the lowest of the model, which is what gets sent
 */
export function outputCap(
  maxOutputTokens: number,
  entry: Pick<ModelEntry, 'reasoningEfforts' | 'reasoningHeadroomTokens' | 'limits'> | undefined,
  effort: ReasoningEffort | undefined = entry?.reasoningEfforts?.[0],
): number {
  if (effort === undefined || effort === 'none') return maxOutputTokens;
  const headroom = entry?.reasoningHeadroomTokens ?? REASONING_HEADROOM_TOKENS;
  const most = entry?.limits?.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  return Math.max(maxOutputTokens, Math.min(maxOutputTokens + headroom, most));
}
