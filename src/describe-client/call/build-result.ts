import { parsedBy, parseFailure } from '../../batch-processor/packs/parse-failure.ts';
import type { CallExplanation } from '../../errors/call-explanation.ts';
import type { Billed } from '../../errors/copy-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { costUsd } from '../../openai/models/cost.ts';
import type { ModelCatalog } from '../../openai/models/model-catalog.ts';
import type { Answer } from '../attempt/vision-asker.ts';
import type { PriceOf } from './call-bill.ts';
import type { DescribeSchema } from './describe-request.ts';
import type { DescribeResult, DescriptionSource } from './describe-result.ts';
import type { NormalisedRequest } from './normalise-request.ts';

/** The part of an answer that is worth caching. */
export type CachedDescription = Pick<Answer, 'description' | 'model'>;

/** Whether what a cache gave is one: another version, or a stranger, may have written there. */
export const isCachedDescription = (value: unknown): value is CachedDescription => {
  const { description, model } = (value ?? {}) as Partial<CachedDescription>;
  return typeof description === 'string' && description !== '' && typeof model === 'string';
};

/** What was obtained for one call, and what obtaining it caused. */
export interface Obtained {
  readonly cached: CachedDescription;
  readonly source: DescriptionSource;
  /** The answer that this very call caused; undefined when it caused none. */
  readonly caused: Answer | undefined;
  /** What failed where an expired entry stands in for it; absent where that was another call's. */
  readonly failure?: unknown;
}

/** Why an expired entry stands in; the failure itself may be another call's, or some seconds old. */
export const failureBehind = ({ failure }: Obtained): unknown =>
  failure ?? new UpstreamError('DESCRIBE_UPSTREAM', 'the API failed a moment ago', { retryable: true });

/** What the caller gets. */
export function buildResult<Data>(
  request: NormalisedRequest<Data>,
  { cached, source, caused }: Obtained,
  billed: Billed,
  explain: CallExplanation,
): DescribeResult<Data> {
  const { schema, metadata } = request;
  const { requestId } = caused ?? {};
  return {
    description: cached.description,
    ...(schema === undefined
      ? {}
      : { data: caused === undefined ? dataOf(cached.description, schema) : (caused.data as Data) }),
    model: cached.model,
    source,
    ...billed,
    ...(requestId === undefined ? {} : { requestId }),
    ...(metadata === undefined ? {} : { metadata }),
    explain,
  };
}

/**
 * Prices by the model that answered; by the one that was asked for where only that is known, as with compatible
 * servers, or where the caller has a price of their own for it, as for a deployment.
 */
export const pricing =
  (catalog: ModelCatalog, ownModels: readonly string[]): PriceOf =>
  (answered, asked, { promptTokens, cachedPromptTokens, completionTokens }) => {
    const usage = {
      inputTokens: promptTokens,
      cachedInputTokens: cachedPromptTokens,
      outputTokens: completionTokens,
    };
    const [first, second] = ownModels.includes(asked) ? [asked, answered] : [answered, asked];
    return costUsd(first, usage, { catalog }) ?? costUsd(second, usage, { catalog });
  };

function dataOf<Data>(description: string, { parse }: DescribeSchema<Data>): Data {
  try {
    return parsedBy(parse, JSON.parse(description));
  } catch (thrown) {
    throw parseFailure(thrown);
  }
}
