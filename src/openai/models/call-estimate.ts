import { costUsd } from './cost.ts';
import { estimateImageTokens, type ImageSize, mostImageTokens } from './image-tokens.ts';
import { type ModelCatalog, modelCatalog } from './model-catalog.ts';
import type { ImageDetail } from './model-entry.ts';
import { estimateTextTokens, framingTokens } from './text-tokens.ts';

/** A call that may be made. */
export interface PlannedCall {
  readonly model: string;
  /** Sizes of its images; `undefined` for one whose size is not known, which counts as the largest. */
  readonly images: readonly (ImageSize | undefined)[];
  readonly detail?: ImageDetail | undefined;
  readonly prompt: string;
  /** Schema of a structured answer: its text is a part of the prompt. */
  readonly jsonSchema?: Readonly<Record<string, unknown>> | undefined;
  /** Bound of the answer, in tokens. */
  readonly maxOutputTokens: number;
  /** What answers usually take, in tokens. @defaultValue maxOutputTokens */
  readonly expectedOutputTokens?: number | undefined;
}

/** What one call is expected to take. */
export interface CallEstimate {
  readonly imageTokens: number;
  /** Images, prompt, schema and what frames a message. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /**
   * What a limit of tokens a minute counts before the answer is known: the larger of the input and the bound of the
   * output (OpenAI's guide "Rate limits": the maximum of `max_tokens` and what the size of the request is estimated
   * at).
   */
  readonly reservedTokens: number;
  /** Absent for a model without a known price. */
  readonly costUsd?: number;
}

/** Estimates one call, before anything is sent. */
export function estimateCall(call: PlannedCall, catalog: ModelCatalog = modelCatalog): CallEstimate {
  const { model, images, detail, prompt, jsonSchema } = call;
  const { maxOutputTokens, expectedOutputTokens = maxOutputTokens } = call;
  let imageTokens = 0;
  for (const size of images) {
    imageTokens +=
      size === undefined
        ? mostImageTokens({ model, detail, catalog })
        : estimateImageTokens({ model, detail, catalog, width: size.width, height: size.height });
  }
  const inputTokens = imageTokens + estimateTextTokens(prompt + schemaText(jsonSchema)) + framingTokens(1);
  const outputTokens = Math.min(expectedOutputTokens, maxOutputTokens);
  const cost = costUsd(model, { inputTokens, outputTokens }, { catalog });
  return {
    imageTokens,
    inputTokens,
    outputTokens,
    reservedTokens: Math.max(inputTokens, maxOutputTokens),
    ...(cost === undefined ? {} : { costUsd: cost }),
  };
}

/** A schema is an object that many calls share: it is written out once. */
const schemaTexts = new WeakMap<object, string>();

function schemaText(jsonSchema: PlannedCall['jsonSchema']): string {
  if (jsonSchema === undefined) return '';
  let text = schemaTexts.get(jsonSchema);
  if (text === undefined) {
    text = JSON.stringify(jsonSchema);
    schemaTexts.set(jsonSchema, text);
  }
  return text;
}
