import { dataUrlLength } from '../../batch-processor/packs/image-data-url.ts';
import { type PackLimits, packShare } from '../../batch-processor/packs/pack-limits.ts';
import { packOutputTokens, packPrompt } from '../../batch-processor/packs/pack-request.ts';
import { packSchema } from '../../batch-processor/packs/pack-schema.ts';
import { VISION_BATCH_SPEC } from '../../batch-processor/vision-description-batch-processor.ts';
import type { LoadedImage } from '../../image/index.ts';
import { settingsOf } from '../../internal/options/option-checks.ts';
import { type CallTokens, estimateTextTokens, tokensOfCall } from '../../openai/models/call-estimate.ts';
import type { ModelCatalog } from '../../openai/models/model-catalog.ts';
import { outputCap } from '../../openai/models/output-cap.ts';
import type { BatchOptions } from '../options/part-options.ts';
import type { NormalisedRequest } from '../options/request-spec.ts';
import type { PackingCost } from './packing-advisor.ts';

export interface PackPlan extends PackLimits {
  /** Most images a request; 1 for each alone. */
  readonly batchSize: number;
}

/** How images are packed, and how long they wait for a pack. */
export interface PackRules extends PackPlan {
  readonly maxBatchWaitMs: number;
}

/** The rules by the options of the batch processor. */
export const packRulesOf = (batch: BatchOptions): PackRules => settingsOf(batch, VISION_BATCH_SPEC);

/** Tokens of a pack's frame around prompt and images, and of the id before each image. */
const FRAME_TOKENS = estimateTextTokens(packPrompt('') + JSON.stringify(packSchema(undefined)));
const ID_TOKENS = estimateTextTokens('id 000');

/** A call for one request, but for its image. */
export const plannedCall = ({
  system = '',
  prompt,
  schema,
  model,
  detail,
  maxOutputTokens,
  reasoningEffort,
}: Pick<
  NormalisedRequest,
  'system' | 'prompt' | 'schema' | 'model' | 'detail' | 'maxOutputTokens' | 'reasoningEffort'
>) => ({
  model,
  detail,
  prompt: system + prompt,
  jsonSchema: schema?.jsonSchema,
  maxOutputTokens,
  reasoningEffort,
});

/** Tokens of a call by the size of its image. They are the most of its model where only the address is known. */
export const estimateOf = (image: LoadedImage, request: NormalisedRequest, catalog: ModelCatalog): CallTokens =>
  tokensOfCall({ ...plannedCall(request), images: [image.kind === 'url' ? undefined : image] }, catalog);

/** Tokens that a limit counts for an image alone, and for one of a pack that is full of such images. */
export function packingCost(
  image: LoadedImage,
  request: NormalisedRequest,
  catalog: ModelCatalog,
  rules: PackPlan,
): PackingCost {
  const { imageTokens, inputTokens, reservedTokens } = estimateOf(image, request, catalog);
  const { maxOutputTokens } = request;
  const imageBytes = image.kind === 'url' ? image.url.length : dataUrlLength(image.bytes.byteLength);
  const share = packShare({ imageTokens, maxOutputTokens, imageBytes }, rules);
  const packSize = Math.max(1, Math.min(rules.batchSize, Math.floor(1 / share)));
  if (packSize === 1) return { single: reservedTokens, packed: reservedTokens, packSize };
  const packInput = packSize * (imageTokens + ID_TOKENS) + inputTokens - imageTokens + FRAME_TOKENS;
  const texts = packOutputTokens({
    count: packSize,
    imageTokens: packSize * imageTokens,
    maxOutputTokens: packSize * maxOutputTokens,
  });
  // The model reasons once for all of them.
  const packOutput = outputCap(texts, catalog.find(request.model), request.reasoningEffort);
  return { single: reservedTokens, packed: Math.max(packInput, packOutput) / packSize, packSize };
}
