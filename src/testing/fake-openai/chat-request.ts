import { readAnswerForm } from './answer-form.ts';
import { invalidRequest } from './api-error.ts';
import { checkSampling, readEffort } from './reasoning.ts';
import { checkCommon, checkVerbosity, readStreamOptions, tierOf } from './request-common.ts';
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

/** Every name of a chat request. Source: openai-node 7.57, `ChatCompletionCreateParamsBase`. */
const NAMES = new Set(
  `messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
   metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key
   prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop
   store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options`.split(
    /\s+/,
  ),
);
const STREAM_OPTIONS = ['include_usage', 'include_obfuscation'] as const;
const ROLES = ['system', 'assistant', 'user', 'function', 'tool', 'developer'] as const;

/** Reads the body of `/v1/chat/completions`. */
export function readChatRequest(body: JsonObject, models: Readonly<Record<string, FakeModel>>): VisionRequest {
  const { name, model } = readModel(body, models);
  const unknown = Object.keys(body).find((key) => !NAMES.has(key));
  if (unknown !== undefined) {
    throw invalidRequest(`Unrecognized request argument supplied: ${unknown}`, null, null);
  }
  const messages = readList(body['messages'], 'messages');
  const parts = messages.flatMap((message, at) => readMessage(message, `messages[${at}]`));
  for (const part of parts) checkDetail(part, name, model);
  const stream = readBoolean(body, 'stream') ?? false;
  const form = readForm(body, parts);
  checkCommon(body, model);
  const effort = readEffort(body['reasoning_effort'], 'chat', name, model);
  checkSampling(body, 'chat', model, effort);
  checkVerbosity(body['verbosity'], 'verbosity', name, model);
  const { include_usage: includeUsage = false, include_obfuscation: obfuscate = true } = readStreamOptions(
    body,
    STREAM_OPTIONS,
  );
  for (const penalty of ['frequency_penalty', 'presence_penalty']) {
    readNumber(body, penalty, { min: -2, max: 2 });
  }
  readNumber(body, 'seed', { min: Number.MIN_SAFE_INTEGER, integer: true });
  readBoolean(body, 'logprobs');
  return {
    endpoint: 'chat',
    modelName: name,
    model,
    parts,
    messages: messages.length,
    maxOutputTokens: readLimit(body, model),
    form,
    effort,
    stream,
    obfuscate,
    includeUsage,
    choices: readNumber(body, 'n', { min: 1, max: 128, integer: true }) ?? 1,
    echo: { service_tier: tierOf(body) },
  };
}

function readMessage(value: unknown, param: string): PromptPart[] {
  const message = readObject(value, param);
  const role = readChoice(message['role'], `${param}.role`, ROLES);
  const content = message['content'];
  if (content === undefined || content === null) {
    if (role === 'assistant' && (message['tool_calls'] !== undefined || message['refusal'] !== undefined)) {
      return [];
    }
    if (content === undefined) throw missing(`${param}.content`);
    throw wrongType(`${param}.content`, 'a string or array of objects', content);
  }
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  const parts = readList(content, `${param}.content`, 'a string or array of objects');
  return parts.map((part, at) => readPart(part, `${param}.content[${at}]`, role));
}

function readPart(value: unknown, param: string, role: (typeof ROLES)[number]): PromptPart {
  const part = readObject(value, param);
  const types = role === 'user' ? (['text', 'image_url', 'input_audio', 'file'] as const) : (['text'] as const);
  const type = readChoice(part['type'], `${param}.type`, types);
  if (type === 'text') return { type: 'text', text: readText(part['text'], `${param}.text`) };
  if (type !== 'image_url') {
    throw invalidRequest(`This model does not support ${type} content.`, param, 'invalid_value');
  }
  const image = readObject(part['image_url'], `${param}.image_url`);
  const detail = image['detail'];
  return {
    type: 'image',
    url: readText(image['url'], `${param}.image_url.url`),
    detail: detail === undefined ? undefined : readChoice(detail, `${param}.image_url.detail`, DETAILS),
    param: `${param}.image_url.url`,
  };
}

function readForm(body: JsonObject, parts: readonly PromptPart[]): AnswerForm {
  const format = body['response_format'] ?? undefined;
  if (format === undefined) return { type: 'text' };
  const form = readAnswerForm(readObject(format, 'response_format'), 'response_format', { nested: true });
  const saysJson = parts.some((part) => part.type === 'text' && /json/i.test(part.text));
  if (form.type === 'json_object' && !saysJson) {
    throw invalidRequest(
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
      'messages',
      null,
    );
  }
  return form;
}

function readLimit(body: JsonObject, model: FakeModel): number | undefined {
  const old = readNumber(body, 'max_tokens', { min: 1, integer: true });
  const current = readNumber(body, 'max_completion_tokens', { min: 1, integer: true });
  if (old !== undefined && current !== undefined) {
    throw invalidRequest(
      'Setting max_tokens and max_completion_tokens at the same time is not supported.',
      'max_tokens',
      'invalid_parameter_combination',
    );
  }
  if (old !== undefined && model.reasoning === true) {
    throw invalidRequest(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      'max_tokens',
      'unsupported_parameter',
    );
  }
  return current ?? old;
}
