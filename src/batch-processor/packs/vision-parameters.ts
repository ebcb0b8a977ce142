import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { canonicalJson, type ExtraBody } from '../../internal/options/extra-body.ts';
import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';

/** What a request says beside its image, prompt and limits. */
export interface VisionParameters {
  /** Instructions that stand before the prompt, as the system message. @defaultValue none */
  readonly system?: string | undefined;
  /** Randomness of the answer, from 0 to 2. @defaultValue the model's own */
  readonly temperature?: number | undefined;
  /** Reasoning before the answer; it is billed as output. @defaultValue the model's own */
  readonly reasoningEffort?: ReasoningEffort | undefined;
  /** Fields of the body that have no option here, sent as they are. */
  readonly extraBody?: ExtraBody | undefined;
}

/** The fields of a body for these parameters, the messages aside. */
export function parameterFields({
  temperature,
  reasoningEffort,
  extraBody,
}: VisionParameters): Partial<ChatCompletionCreateParamsNonStreaming> {
  return {
    ...extraBody,
    ...(temperature === undefined ? {} : { temperature }),
    ...(reasoningEffort === undefined ? {} : { reasoning_effort: reasoningEffort }),
  };
}

/** The messages that stand before the prompt's. */
export const systemMessages = ({ system }: VisionParameters): ChatCompletionCreateParamsNonStreaming['messages'] =>
  system === undefined ? [] : [{ role: 'system', content: system }];

/** Equal for requests that may share a body. Undefined where all is left to the model. */
export function sharedBodyKey({
  system,
  temperature,
  reasoningEffort,
  extraBody,
}: VisionParameters): string | undefined {
  return system === undefined && temperature === undefined && reasoningEffort === undefined && extraBody === undefined
    ? undefined
    : canonicalJson([system, temperature, reasoningEffort, extraBody]);
}
