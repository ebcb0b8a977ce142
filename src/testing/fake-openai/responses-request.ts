import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';
import { readAnswerForm } from './answer-form.ts';
import { invalidRequest } from './api-error.ts';
import { checkSampling, readEffort, unsupportedParameter } from './reasoning.ts';
import { checkCommon, checkVerbosity, readStreamOptions, tierOf } from './request-common.ts';
import { checkDetail, DETAILS } from './request-detail.ts';
import {
  checkNames,
  type JsonObject,
  missing,
  readBoolean,
  readChoice,
  readList,
  readNumber,
  readObject,
  readText,
  wrongType,
} from './request-fields.ts';
import { readModel } from './request-model.ts';
import type { FakeModel } from './token-table.ts';
import type { AnswerForm, PromptPart, VisionRequest } from './vision-request.ts';

/** Every name of a Responses request. Source: openai-node 7.57, `ResponseCreateParamsBase`. */
const NAMES = new Set(
  `access_programs background context_management conversation image include input instructions max_output_tokens
   max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key
   prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options
   temperature text tool_choice tools top_logprobs top_p truncation user personality`.split(/\s+/),
);
const ROLES = ['assistant', 'system', 'developer', 'user'] as const;
const SUMMARIES = ['auto', 'concise', 'detailed'] as const;
/** Source: openai-node 7.57, `ResponseIncludable`. */
const INCLUDES = [
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
] as const;
/** Fewest output tokens that the Responses API takes. */
const MIN_OUTPUT_TOKENS = 16;

/** Reads the body of `/v1/responses` (and of `/v1/responses/input_tokens`, which takes a part of it). */
export function readResponsesRequest(body: JsonObject, models: Readonly<Record<string, FakeModel>>): VisionRequest {
  const { name, model } = readModel(body, models);
  const unknown = Object.keys(body).find((key) => !NAMES.has(key));
  if (unknown !== undefined) {
    throw invalidRequest(`Unknown parameter: '${unknown}'.`, unknown, 'unknown_parameter');
  }
  const { parts, messages } = readInput(body);
  const previous = body['previous_response_id'] ?? undefined;
  if (previous !== undefined) {
    throw invalidRequest(
      `Previous response with id '${readText(previous, 'previous_response_id')}' not found.`,
      'previous_response_id',
      'previous_response_not_found',
    );
  }
  const instructions = body['instructions'] ?? undefined;
  if (instructions !== undefined) {
    parts.unshift({ type: 'text', text: readText(instructions, 'instructions') });
  }
  checkCommon(body, model);
  const reasoning = readReasoning(body, name, model);
  checkSampling(body, 'responses', model, reasoning.effort);
  const { include_obfuscation: obfuscate = true } = readStreamOptions(body, ['include_obfuscation']);
  checkInclude(body['include'] ?? undefined);
  const truncation = body['truncation'] ?? undefined;
  if (truncation !== undefined) readChoice(truncation, 'truncation', ['auto', 'disabled']);
  readBoolean(body, 'background');
  for (const part of parts) checkDetail(part, name, model);
  return {
    endpoint: 'responses',
    modelName: name,
    model,
    parts,
    messages: messages + (instructions === undefined ? 0 : 1),
    maxOutputTokens: readNumber(body, 'max_output_tokens', { min: MIN_OUTPUT_TOKENS, integer: true }),
    form: readForm(body, parts, name, model),
    effort: reasoning.effort,
    stream: readBoolean(body, 'stream') ?? false,
    obfuscate,
    includeUsage: true,
    choices: 1,
    echo: echoOf(body, reasoning),
  };
}

/** The fields of the answer that say how it was asked for. */
const echoOf = (body: JsonObject, { effort, summary, isGiven }: Reasoning): JsonObject => ({
  background: body['background'] ?? false,
  instructions: body['instructions'] ?? null,
  max_output_tokens: body['max_output_tokens'] ?? null,
  metadata: body['metadata'] ?? {},
  parallel_tool_calls: body['parallel_tool_calls'] ?? true,
  prompt_cache_key: body['prompt_cache_key'] ?? null,
  reasoning: { effort: isGiven ? effort : null, summary },
  safety_identifier: body['safety_identifier'] ?? null,
  service_tier: tierOf(body),
  store: body['store'] ?? true,
  temperature: body['temperature'] ?? 1,
  text: { verbosity: 'medium', ...(body['text'] as object | undefined), format: formatOf(body) },
  top_p: body['top_p'] ?? 1,
  truncation: body['truncation'] ?? 'disabled',
  user: body['user'] ?? null,
});

const formatOf = (body: JsonObject): unknown =>
  (body['text'] as { readonly format?: unknown } | null | undefined)?.format ?? { type: 'text' };

function checkInclude(include: unknown): void {
  if (include === undefined) return;
  if (!Array.isArray(include)) throw wrongType('include', 'an array of strings', include);
  for (const [at, value] of include.entries()) readChoice(value, `include[${at}]`, INCLUDES);
}

interface Reasoning {
  readonly effort: ReasoningEffort;
  readonly summary: (typeof SUMMARIES)[number] | null;
  /** Whether the model reasons at all. */
  readonly isGiven: boolean;
}

function readReasoning(body: JsonObject, name: string, model: FakeModel): Reasoning {
  const given = body['reasoning'] ?? undefined;
  const reasoning = given === undefined ? {} : readObject(given, 'reasoning');
  checkNames(reasoning, 'reasoning', ['context', 'effort', 'generate_summary', 'mode', 'summary']);
  const effort = readEffort(reasoning['effort'], 'responses', name, model);
  const summary = reasoning['summary'] ?? reasoning['generate_summary'] ?? undefined;
  if (summary === undefined) return { effort, summary: null, isGiven: model.reasoning === true };
  if (model.reasoning !== true) throw unsupportedParameter('reasoning.summary', 'unsupported_parameter');
  return { effort, summary: readChoice(summary, 'reasoning.summary', SUMMARIES), isGiven: true };
}

function readInput(body: JsonObject): { parts: PromptPart[]; messages: number } {
  const input = body['input'];
  if (input === undefined || input === null) throw missing('input');
  if (typeof input === 'string') return { parts: [{ type: 'text', text: input }], messages: 1 };
  const items = readList(input, 'input', 'a string or array of objects');
  return { parts: items.flatMap((item, at) => readItem(item, `input[${at}]`)), messages: items.length };
}

function readItem(value: unknown, param: string): PromptPart[] {
  const item = readObject(value, param);
  if (item['type'] !== undefined) readChoice(item['type'], `${param}.type`, ['message']);
  const role = readChoice(item['role'], `${param}.role`, ROLES);
  const content = item['content'];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  const parts = readList(content, `${param}.content`, 'a string or array of objects');
  return parts.map((part, at) => readPart(part, `${param}.content[${at}]`, role));
}

function readPart(value: unknown, param: string, role: (typeof ROLES)[number]): PromptPart {
  const part = readObject(value, param);
  const types = role === 'assistant' ? (['output_text', 'refusal'] as const) : (['input_text', 'input_image'] as const);
  const type = readChoice<string>(part['type'], `${param}.type`, types);
  if (type !== 'input_image') {
    const field = type === 'refusal' ? 'refusal' : 'text';
    return { type: 'text', text: readText(part[field], `${param}.${field}`) };
  }
  const detail = part['detail'] ?? undefined;
  const fileId = part['file_id'] ?? undefined;
  if (fileId !== undefined) {
    throw invalidRequest(`No file found with id '${String(fileId)}'.`, `${param}.file_id`, 'invalid_value');
  }
  const url = part['image_url'] ?? undefined;
  if (url !== undefined && typeof url !== 'string') {
    throw wrongType(`${param}.image_url`, 'an image URL string', url);
  }
  return {
    type: 'image',
    url: readText(url, `${param}.image_url`),
    detail: detail === undefined ? undefined : readChoice(detail, `${param}.detail`, DETAILS),
    param: `${param}.image_url`,
  };
}

function readForm(body: JsonObject, parts: readonly PromptPart[], name: string, model: FakeModel): AnswerForm {
  const text = body['text'] ?? undefined;
  if (text === undefined) return { type: 'text' };
  const config = readObject(text, 'text');
  checkNames(config, 'text', ['format', 'verbosity']);
  checkVerbosity(config['verbosity'], 'text.verbosity', name, model);
  const format = config['format'] ?? undefined;
  if (format === undefined) return { type: 'text' };
  const form = readAnswerForm(readObject(format, 'text.format'), 'text.format', { nested: false });
  const saysJson = parts.some((part) => part.type === 'text' && /json/i.test(part.text));
  if (form.type === 'json_object' && !saysJson) {
    throw invalidRequest(
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
      'input',
      null,
    );
  }
  return form;
}
