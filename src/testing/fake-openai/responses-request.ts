import { readAnswerForm } from './answer-form.ts';
import { invalidRequest } from './api-error.ts';
import { checkCommon } from './request-common.ts';
import { checkDetail, DETAILS } from './request-detail.ts';
import {
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
  checkCommon(body, name, model);
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
    form: readForm(body, parts),
    stream: readBoolean(body, 'stream') ?? false,
    includeUsage: true,
    choices: 1,
  };
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

function readForm(body: JsonObject, parts: readonly PromptPart[]): AnswerForm {
  const text = body['text'] ?? undefined;
  const format = text === undefined ? undefined : (readObject(text, 'text')['format'] ?? undefined);
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
