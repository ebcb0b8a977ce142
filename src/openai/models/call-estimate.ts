import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';
import { costUsd } from './cost.ts';
import { type ImageSize, reservedImageTokens } from './image-tokens.ts';
import { type ModelCatalog, modelCatalog } from './model-catalog.ts';
import type { ImageDetail } from './model-entry.ts';
import { outputCap } from './output-cap.ts';

/** OpenAI's rule of thumb for English. */
const LATIN_CHARACTERS_PER_TOKEN = 4;
/** Scripts of Asia and emoji take about a token a character. */
const WIDE_CHARACTERS_PER_TOKEN = 1;
/** Other letters, such as Cyrillic or Arabic, take about a token for two characters. */
const OTHER_CHARACTERS_PER_TOKEN = 2;

const LATIN = /^[\0-\u{24f}]*$/u;
const FIRST_NON_LATIN = 0x250;
const FIRST_WIDE = 0x2e80;

/** The frame of the message and the start of the answer. Source: OpenAI's cookbook, counting tokens for chat. */
const FRAMING_TOKENS = 6;

/** A longer text is estimated from samples: reading 20 MB would block the event loop for a quarter of a second. */
const WHOLE_CHARACTERS = 65_536;
const SAMPLES = 64;
const SAMPLE_CHARACTERS = WHOLE_CHARACTERS / SAMPLES;

/** A call that may be made. */
export interface PlannedCall {
  readonly model: string;
  /** Sizes of its images; `undefined` for one whose size is not known, which counts as the largest. */
  readonly images: readonly (ImageSize | undefined)[];
  readonly detail?: ImageDetail | undefined;
  readonly prompt: string;
  /** Schema of a structured answer; its text counts as a part of the prompt. */
  readonly jsonSchema?: Readonly<Record<string, unknown>> | undefined;
  /** Output limit of the text, in tokens. A model that reasons has headroom over it. */
  readonly maxOutputTokens: number;
  /** @defaultValue the lowest of the model */
  readonly reasoningEffort?: ReasoningEffort | undefined;
  /** Usual length of an answer, in tokens, with its reasoning. @defaultValue maxOutputTokens and its headroom */
  readonly expectedOutputTokens?: number | undefined;
}

/** Tokens of one call. */
export interface CallTokens {
  readonly imageTokens: number;
  /** Tokens of images, prompt, schema and the frame of a message. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /**
   * Tokens that a limit a minute counts before the answer is known: the larger of input and output limit. Source:
   * OpenAI, "Rate limits" guide.
   */
  readonly reservedTokens: number;
}

/**
 * Expected tokens and price of one call. Unknown parts are absent. For a model that the catalog lacks, these are the
 * tokens of images and all sums with them. The price is absent for a model without a published one.
 */
export interface CallEstimate extends Partial<CallTokens> {
  readonly outputTokens: number;
  /** US dollars. */
  readonly costUsd?: number;
}

/** Tokens to reserve for one call. Images of a model that the catalog lacks count by the most expensive common rule. */
export function tokensOfCall(call: PlannedCall, catalog: ModelCatalog = modelCatalog): CallTokens {
  const { images, prompt, jsonSchema } = call;
  const cap = outputCap(call.maxOutputTokens, catalog.find(call.model), call.reasoningEffort);
  const { expectedOutputTokens = cap } = call;
  const sizing = { model: call.model, detail: call.detail, catalog };
  let imageTokens = 0;
  for (const size of images) imageTokens += reservedImageTokens(sizing, size);
  const text = jsonSchema === undefined ? prompt : prompt + schemaText(jsonSchema);
  const inputTokens = imageTokens + estimateTextTokens(text) + FRAMING_TOKENS;
  return {
    imageTokens,
    inputTokens,
    outputTokens: Math.min(expectedOutputTokens, cap),
    reservedTokens: Math.max(inputTokens, cap),
  };
}

/** Estimates one call, before anything is sent. It never guesses: see {@link CallEstimate} for what may be absent. */
export function estimateCall(call: PlannedCall, catalog: ModelCatalog = modelCatalog): CallEstimate {
  const tokens = tokensOfCall(call, catalog);
  const isKnown = call.images.length === 0 || catalog.find(call.model) !== undefined;
  if (!isKnown) return { outputTokens: tokens.outputTokens };
  const cost = costUsd(call.model, tokens, { catalog });
  return cost === undefined ? tokens : { ...tokens, costUsd: cost };
}

/** Many calls share one schema object, which is written out once. */
const schemaTexts = new WeakMap<object, string>();

function schemaText(jsonSchema: object): string {
  let text = schemaTexts.get(jsonSchema);
  if (text === undefined) {
    text = JSON.stringify(jsonSchema);
    schemaTexts.set(jsonSchema, text);
  }
  return text;
}

/** Tokens of a text by its length and scripts: some tenths off the true number, without a tokenizer's megabytes. */
export function estimateTextTokens(text: string): number {
  if (text.length <= WHOLE_CHARACTERS) {
    return Math.ceil(LATIN.test(text) ? text.length / LATIN_CHARACTERS_PER_TOKEN : weigh(text));
  }
  const step = (text.length - SAMPLE_CHARACTERS) / (SAMPLES - 1);
  let tokens = 0;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const start = Math.floor(sample * step);
    tokens += weigh(text.slice(start, start + SAMPLE_CHARACTERS));
  }
  return Math.ceil((tokens * text.length) / WHOLE_CHARACTERS);
}

function weigh(text: string): number {
  let tokens = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const perToken =
      code < FIRST_NON_LATIN
        ? LATIN_CHARACTERS_PER_TOKEN
        : code < FIRST_WIDE
          ? OTHER_CHARACTERS_PER_TOKEN
          : WIDE_CHARACTERS_PER_TOKEN;
    tokens += 1 / perToken;
  }
  return tokens;
}
