import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';
import { type ApiErrorBody, invalidRequest } from './api-error.ts';
import { lookUpError } from './error-table.ts';
import type { Fault } from './fault-plan.ts';
import { applyItemFault } from './item-fault.ts';
import { answerBySchema, describeAll } from './structured-answer.ts';
import {
  boundsOf,
  countFramingTokens,
  countImageTokens,
  countPatches,
  countTextTokens,
  cutToTokens,
} from './token-count.ts';
import type { SeenImage, VisionRequest } from './vision-request.ts';

/** Tokens of a request. */
export interface FakeUsage {
  readonly promptTokens: number;
  /** The part of `promptTokens` that is images. */
  readonly imageTokens: number;
  /** The part of `promptTokens` that is said to come from the prompt cache. */
  readonly cachedTokens: number;
  /** The part that is said to be written into it, by models that report that. */
  readonly cacheWriteTokens: number;
  /** Tokens of the answer, visible and hidden. */
  readonly completionTokens: number;
  /** The part of `completionTokens` that is hidden. */
  readonly reasoningTokens: number;
}

/** Why an answer ended. The last two are known to the Responses API only. */
export type FinishReason = 'stop' | 'length' | 'content_filter' | 'max_messages' | 'steered';

/** How a response ended without an answer. */
export interface Unanswered {
  readonly status: 'failed' | 'cancelled' | 'in_progress' | 'queued';
  /** The error, which only a failed one shows. */
  readonly error: ApiErrorBody;
}

/** A finished answer, in the terms of neither API. */
export interface Answer {
  readonly text: string;
  readonly refusal: string | undefined;
  readonly finishReason: FinishReason;
  /** Set when there is no answer after all. */
  readonly unanswered: Unanswered | undefined;
  readonly usage: FakeUsage;
}

/** Tokens of the prompt: texts by their length, images by the model's rule. */
export function countPrompt(
  request: VisionRequest,
  images: readonly SeenImage[],
): Pick<FakeUsage, 'promptTokens' | 'imageTokens'> {
  let characters = request.form.type === 'json_schema' ? JSON.stringify(request.form.schema).length : 0;
  for (const part of request.parts) if (part.type === 'text') characters += part.text.length;
  let imageTokens = 0;
  for (const { facts, detail } of images) imageTokens += countImageTokens(request.model.images, facts, detail);
  const textTokens = countTextTokens(characters) + countFramingTokens(request.messages);
  return { promptTokens: textTokens + imageTokens, imageTokens };
}

/** Prompts below this are not cached, and hits come in these steps. Source: OpenAI, "Prompt caching". */
const CACHE = { leastTokens: 1024, stepTokens: 128 } as const;

/** Tokens of a prompt that are said to come from the prompt cache. */
const countCached = (promptTokens: number, cachedRatio: number): number =>
  promptTokens < CACHE.leastTokens ? 0 : Math.floor((promptTokens * cachedRatio) / CACHE.stepTokens) * CACHE.stepTokens;

/**
 * More patches than this in one image are refused, and not scaled down. Source: error bodies quoted in public issues.
 */
const MAX_PATCHES_PER_IMAGE = 30_000;

/** Throws the API's 400 for an image that has too many patches for its detail. */
export function checkPatches({ endpoint, model }: VisionRequest, images: readonly SeenImage[]): void {
  for (const { facts, detail } of images) {
    if (model.images.by !== 'patches') return;
    const patches = countPatches(facts, boundsOf(model.images, detail));
    if (patches <= MAX_PATCHES_PER_IMAGE) continue;
    throw invalidRequest(
      `The image you provided requires ${patches} patches after processing, exceeding the limit of ${MAX_PATCHES_PER_IMAGE}. Please resize the image and try again.`,
      endpoint === 'chat' ? 'messages' : 'input',
      'invalid_value',
    );
  }
}

/** Throws the API's 400 when prompt and answer don't fit into the model's context. */
export function checkContext(request: VisionRequest, promptTokens: number): void {
  const { contextTokens } = request.model;
  if (promptTokens + (request.maxOutputTokens ?? 0) <= contextTokens) return;
  throw invalidRequest(
    `This model's maximum context length is ${contextTokens} tokens. However, your messages resulted in ${promptTokens} tokens. Please reduce the length of the messages.`,
    request.endpoint === 'chat' ? 'messages' : 'input',
    'context_length_exceeded',
  );
}

/** Faults that change what the model says rather than how it is sent. */
export type ContentFault = Extract<
  Fault,
  { kind: 'refusal' | 'finish' | 'items' | 'truncate' | 'wrong-json' | 'reasoning' | 'status' }
>;

const REFUSAL = "I'm sorry, I can't assist with that.";

/** The part of an answer's rules that is the same for all requests. */
export interface AnswerRules {
  readonly cachedPromptRatio: number;
  readonly reasoningTokens: Readonly<Record<ReasoningEffort, number>>;
}

/** Describes the images in the form that the request asks for, cut to its output limit. */
export function composeAnswer(
  request: VisionRequest,
  images: readonly SeenImage[],
  fault: ContentFault | undefined,
  rules: AnswerRules,
): Answer {
  const limit = request.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  const wanted = fault?.kind === 'reasoning' ? fault.tokens : rules.reasoningTokens[request.effort];
  const reasoningTokens = Math.min(wanted, limit);
  const usage = promptUsage(request, images, rules);
  const finish = (text: string, finishReason: FinishReason, refusal?: string): Answer => {
    const visible = countTextTokens((refusal ?? text).length);
    return {
      text,
      refusal,
      finishReason,
      unanswered: fault?.kind === 'status' ? unansweredBy(fault) : undefined,
      usage: {
        ...usage,
        completionTokens: request.choices * Math.max(1, visible + reasoningTokens),
        reasoningTokens: request.choices * reasoningTokens,
      },
    };
  };
  if (fault?.kind === 'refusal') return finish('', 'stop', fault.text ?? REFUSAL);
  const text = spoil(speak(request, images, fault), fault);
  if (fault?.kind === 'finish') {
    return finish(fault.text ?? text.slice(0, Math.floor(text.length / 2)), fault.reason);
  }
  const left = limit - reasoningTokens;
  if (countTextTokens(text.length) > left) return finish(cutToTokens(text, left), 'length');
  return finish(text, 'stop');
}

const unansweredBy = ({ status, code = 'server_error' }: Extract<Fault, { kind: 'status' }>): Unanswered => ({
  status,
  error: lookUpError(code, undefined).body,
});

function promptUsage(
  request: VisionRequest,
  images: readonly SeenImage[],
  { cachedPromptRatio }: AnswerRules,
): Omit<FakeUsage, 'completionTokens' | 'reasoningTokens'> {
  const prompt = countPrompt(request, images);
  const cachedTokens = countCached(prompt.promptTokens, cachedPromptRatio);
  const isWritten = request.model.cacheWrites === true && cachedPromptRatio > 0;
  const isLong = prompt.promptTokens >= CACHE.leastTokens;
  return { ...prompt, cachedTokens, cacheWriteTokens: isWritten && isLong ? prompt.promptTokens - cachedTokens : 0 };
}

function speak(request: VisionRequest, images: readonly SeenImage[], fault: ContentFault | undefined): string {
  const { form } = request;
  const prompt = request.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  if (form.type === 'text') return describeAll(images, prompt);
  if (form.type === 'json_object') return JSON.stringify({ description: describeAll(images, prompt) });
  const { value, items } = answerBySchema(form.schema, images, prompt);
  if (fault?.kind === 'items' && items !== undefined) applyItemFault(items, fault);
  return JSON.stringify(value);
}

function spoil(text: string, fault: ContentFault | undefined): string {
  if (fault?.kind === 'truncate' && fault.where === 'content') {
    return text.slice(0, Math.floor(text.length * (fault.afterRatio ?? 0.5)));
  }
  if (fault?.kind === 'wrong-json' && fault.where === 'content') {
    return JSON.stringify(fault.json ?? { unexpected: true });
  }
  return text;
}
