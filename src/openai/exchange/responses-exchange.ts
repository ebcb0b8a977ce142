import type OpenAI from 'openai';
import type { ChatCompletion, ChatCompletionContentPart } from 'openai/resources/chat/completions';
import type { ResponseCreateParamsNonStreaming } from 'openai/resources/responses/responses';
import { ConfigError } from '../../errors/index.ts';
import { AnswerError, chatCompletionIn, parsedBody } from '../../internal/upstream/chat-body.ts';
import { joinedEvents } from '../../internal/upstream/event-reader.ts';
import { mediaTypeOf } from '../../internal/upstream/response-headers.ts';
import type { ApiAnswer, ChatRequest, Exchange } from './exchange.ts';
import { ResponseEvents } from './response-events.ts';
import { completionOfResponse } from './response-object.ts';

/** Fewest tokens that the API takes as an output limit. Source: the API's own 400 (`integer_below_min_value`). */
const LEAST_OUTPUT_TOKENS = 16;

/** The Responses API. It keeps each answer for 30 days unless `store` is false, which is always sent. */
export const responsesExchange: Exchange = {
  api: 'responses',
  path: '/responses',
  encode: responsesBody,
  decode: (data, head) =>
    chatCompletionIn<ChatCompletion>(completionOfResponse(parsedBody(data, head, completionOfEvents)), head),
  decodeStream: () => new ResponseEvents(),
  namesOf: (parameter) => NAMES.get(parameter) ?? [parameter],
  methodOf: (client) => client.responses.create,
  create: (client, body, options) => ({ withResponse: () => sentBy(client, body, options) }),
};

const NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ['max_completion_tokens', ['max_output_tokens']],
  ['reasoning_effort', ['reasoning', 'effort']],
]);

/** Fields of chat that stand elsewhere in the body of the Responses API, or that it lacks. */
interface ChatFields extends ChatRequest {
  readonly reasoning?: object;
  readonly stream?: false;
}

function responsesBody(request: ChatRequest, isStreamed: boolean): object & { readonly model?: unknown } {
  const { messages, max_completion_tokens: limit, max_tokens: _, response_format: format, ...others } = request;
  const { reasoning_effort: effort, reasoning, verbosity, stream_options: _usage, ...rest } = others as ChatFields;
  const instructions: string[] = [];
  const input: object[] = [];
  for (const message of messages) {
    if (message.role === 'system') instructions.push(textOf(message.content));
    else if (message.role === 'user') input.push({ role: 'user', content: partsOf(message.content).map(inputPart) });
  }
  const body: Record<string, unknown> = { ...rest, input };
  if (instructions.length > 0) body['instructions'] = instructions.join('\n\n');
  if (format?.type === 'json_schema') body['text'] = { format: { type: 'json_schema', ...format.json_schema } };
  if (verbosity != null) body['text'] = { ...(body['text'] as object | undefined), verbosity };
  if (effort != null) body['reasoning'] = { ...reasoning, effort };
  else if (reasoning !== undefined) body['reasoning'] = reasoning;
  if (typeof limit === 'number') body['max_output_tokens'] = Math.max(limit, LEAST_OUTPUT_TOKENS);
  if (isStreamed) body['stream'] = true;
  return body;
}

const partsOf = (content: string | readonly ChatCompletionContentPart[]): readonly ChatCompletionContentPart[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

const textOf = (content: string | readonly { readonly text: string }[]): string =>
  typeof content === 'string' ? content : content.map(({ text }) => text).join('');

function inputPart(part: ChatCompletionContentPart): object {
  if (part.type === 'text') return { type: 'input_text', text: part.text };
  if (part.type !== 'image_url') return part;
  const { url, detail } = part.image_url;
  return { type: 'input_image', image_url: url, ...(detail === undefined ? {} : { detail }) };
}

const completionOfEvents = (text: string): object | undefined => joinedEvents(text, new ResponseEvents());

/** The API's answer by the method of a client that may not be ours. */
async function sentBy(
  { responses }: Partial<OpenAI>,
  body: object,
  options: OpenAI.RequestOptions,
): ReturnType<ApiAnswer['withResponse']> {
  if (typeof responses?.create !== 'function') {
    const got = 'one without it';
    throw new ConfigError('createDescribeClient', [{ option: 'api', expected: 'a client with responses.create', got }]);
  }
  const request = body as ResponseCreateParamsNonStreaming;
  const sent = responses.create(request, options);
  const response = await sent.asResponse?.();
  // Version 7.57 of the client fails on an answer that is no JSON: it looks for a field of the text.
  if (response !== undefined && (request.stream as unknown) !== true && !isJson(response)) {
    return { data: await response.text(), response };
  }
  try {
    return await sent.withResponse();
  } catch (error) {
    if (response === undefined || !(error instanceof TypeError)) throw error;
    // So it does on a JSON text such as `null`.
    throw new AnswerError(`${response.status} `, response.status, undefined, response.headers);
  }
}

const isJson = ({ headers }: Response): boolean => /json/i.test(mediaTypeOf(headers));
