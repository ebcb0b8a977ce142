import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { headerOf } from '../../internal/upstream/response-headers.ts';
import { rateLimitOf } from '../../openai/exchange/rate-limit-headers.ts';
import type { RouteAnswer } from '../../routing/index.ts';

/**
 * What a router learns of an answer. A limit counts the larger of a request's input and the bound of its output, not
 * what was written. Source: OpenAI, "Rate limits" guide.
 */
export function answerReport(
  { max_completion_tokens, max_tokens }: ChatCompletionCreateParamsNonStreaming,
  completion: ChatCompletion | null | undefined,
  headers: unknown,
  address: string,
): RouteAnswer {
  // An answer may be empty, or anything that JSON can say.
  const { prompt_tokens, completion_tokens } = completion?.usage ?? {};
  return {
    limits: rateLimitOf(headers),
    chargedTokens: chargedTokens(prompt_tokens, max_completion_tokens ?? max_tokens ?? completion_tokens),
    outputTokens: finite(completion_tokens),
    organization: ownerOf(headers, address),
  };
}

const chargedTokens = (promptTokens: unknown, outputBound: unknown): number | undefined => {
  const prompt = finite(promptTokens);
  return prompt === undefined ? undefined : Math.max(prompt, finite(outputBound) ?? 0);
};

const finite = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);

/** Organisation and project of a key at an address, as one name. */
function ownerOf(headers: unknown, address: string): string | undefined {
  const organization = headerOf(headers, 'openai-organization');
  if (organization === undefined) return undefined;
  return `${address} ${organization} ${headerOf(headers, 'openai-project') ?? ''}`.trim();
}
