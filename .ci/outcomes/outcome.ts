import type { DescribeClientOptions, DescribeOptions } from '../../src/index.ts';
import type { Fault } from '../../src/testing/index.ts';

/** The state before the call, where the outcome needs one. */
export type Setting =
  /** Nobody listens at the address of the API. */
  | 'nobody listens'
  /** Another call fills the client. */
  | 'full'
  /** The breaker of endpoint and model is open. */
  | 'open breaker'
  /** The caller aborts once the request has arrived. */
  | 'abort';

/** One way in which a call may end. */
export interface Outcome {
  readonly name: string;
  /** The behaviour of the server; absent where it is never reached, or answers as usual. */
  readonly fault?: Fault;
  /** Whether the fault is about one image; otherwise every request gets it. @defaultValue false */
  readonly isOfImage?: boolean;
  readonly setting?: Setting;
  readonly options?: DescribeClientOptions;
  readonly request?: DescribeOptions;
  /** The answer of a bare HTTP server, for the commonest outcomes. */
  readonly raw?: RawForm;
}

/** The answer of a bare HTTP server, written without the fake: an HTTP answer, no answer, or a reset. */
export type RawForm =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string }
  | 'hang'
  | 'reset';

const SCHEMA = {
  name: 'scene',
  jsonSchema: {
    type: 'object',
    properties: { description: { type: 'string' } },
    required: ['description'],
    additionalProperties: false,
  },
};

/** The answer of a fallback, which fits the schema. */
export const FALLBACK_TEXT = '{"description":"by a fallback"}';

/** Refuses every answer of the API, and takes that of a fallback. */
const failing = (error: Error) => (value: unknown) => {
  if (JSON.stringify(value) !== FALLBACK_TEXT) throw error;
  return value;
};

const page = (status: number): Fault => ({
  kind: 'error',
  status,
  headers: { 'content-type': 'text/html' },
  body: '<html><body>A page of a gateway</body></html>',
});

const apiError = (status: number, error: object, headers: Readonly<Record<string, string>> = {}): RawForm => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ error: { message: 'it failed', type: 'error', param: null, code: null, ...error } }),
});

const completion = (choice: object): RawForm => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4.1-mini',
    choices: [
      { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'A cat.', refusal: null }, ...choice },
    ],
    usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
  }),
});

/** Short, for these outcomes last as long. */
const SHORT_MS = 400;

/**
 * Each row of the failure table that an answer of the API can reach, and each way to end without an answer. A status
 * that the table treats as one of these is left out: 402 is an exhausted quota, 403 in the API's form a key, 408 a 500.
 */
export const OUTCOMES: readonly Outcome[] = [
  { name: 'a description', raw: completion({}) },
  {
    name: 'a refusal',
    fault: { kind: 'refusal' },
    isOfImage: true,
    raw: completion({ message: { role: 'assistant', content: null, refusal: 'I cannot help with that.' } }),
  },
  {
    name: 'cut off, with text',
    fault: { kind: 'finish', reason: 'length' },
    isOfImage: true,
    raw: completion({ finish_reason: 'length' }),
  },
  { name: 'cut off, without text', fault: { kind: 'finish', reason: 'length', text: '' }, isOfImage: true },
  {
    name: "cut off, with text, and `onTruncated: 'return'`",
    fault: { kind: 'finish', reason: 'length' },
    isOfImage: true,
    request: { onTruncated: 'return' },
    raw: completion({ finish_reason: 'length' }),
  },
  {
    name: "cut off, without text, and `onTruncated: 'return'`",
    fault: { kind: 'finish', reason: 'length', text: '' },
    isOfImage: true,
    request: { onTruncated: 'return' },
  },
  { name: 'ended by the content filter', fault: { kind: 'finish', reason: 'content_filter' }, isOfImage: true },
  { name: 'an empty text', fault: { kind: 'finish', reason: 'stop', text: '' }, isOfImage: true },
  {
    name: 'no fit for the schema',
    request: {
      schema: {
        ...SCHEMA,
        parse: failing(new Error('unfit')),
      },
    },
  },
  {
    name: 'a mistake in `schema.parse`',
    request: {
      schema: {
        ...SCHEMA,
        parse: failing(new TypeError('a mistake')),
      },
    },
  },
  { name: 'an error inside a 200', fault: { kind: 'error', status: 200, code: 'server_error' } },
  { name: 'a page with 200', fault: page(200) },
  { name: 'a page with 403', fault: page(403) },
  {
    name: '400 about the image',
    fault: { kind: 'error', code: 'invalid_image' },
    isOfImage: true,
    raw: apiError(400, { code: 'invalid_image' }),
  },
  { name: '400 about a parameter', fault: { kind: 'error', status: 400, code: 'invalid_request' } },
  { name: '401', fault: { kind: 'error', status: 401 }, raw: apiError(401, { code: 'invalid_api_key' }) },
  { name: '404: no such model', fault: { kind: 'error', code: 'model_not_found' } },
  {
    name: '429: rate limit',
    fault: { kind: 'error', code: 'rate_limit_exceeded', retryAfter: { form: 'milliseconds', ms: 20 } },
    raw: apiError(429, { code: 'rate_limit_exceeded' }, { 'retry-after-ms': '20' }),
  },
  { name: '429: quota used up', fault: { kind: 'error', code: 'insufficient_quota' } },
  { name: '500', fault: { kind: 'error', status: 500 }, raw: apiError(500, { type: 'server_error' }) },
  {
    name: '503: overloaded',
    fault: { kind: 'error', code: 'server_is_overloaded' },
    raw: apiError(503, { code: 'server_is_overloaded' }),
  },
  { name: 'connection refused', setting: 'nobody listens' },
  { name: 'connection reset', fault: { kind: 'reset', at: 'before-answer' }, raw: 'reset' },
  { name: 'an answer that breaks off', fault: { kind: 'reset', at: 'mid-body' } },
  {
    name: 'no answer within `attemptTimeoutMs`',
    fault: { kind: 'hang' },
    options: { attemptTimeoutMs: SHORT_MS },
    raw: 'hang',
  },
  { name: 'no answer within `timeoutMs`', fault: { kind: 'hang' }, request: { timeoutMs: 4 * SHORT_MS } },
  { name: 'aborted by the caller', fault: { kind: 'hang' }, setting: 'abort' },
  { name: 'queue full', setting: 'full', options: { limits: { maxQueuedCalls: 1 } } },
  { name: 'breaker open', setting: 'open breaker', request: { timeoutMs: 5_000 } },
];

/** Only a stream can end so. */
export const STREAM_OUTCOMES: readonly Outcome[] = [
  { name: 'an error event midway', fault: { kind: 'stream-error', status: 500 } },
];
