import { describe, expect, it } from 'vitest';
import { InlineBytes } from '../../http/encoding/encode-json.ts';
import { systemClock } from '../../internal/clock.ts';
import type { ChatRequest } from './exchange.ts';
import { responsesExchange } from './responses-exchange.ts';
import { StreamReader } from './stream-reader.ts';

const { encode, decode } = responsesExchange;
const head = { status: 200, headers: {} };

const request: ChatRequest = {
  model: 'm',
  store: false,
  max_completion_tokens: 300,
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What?' },
        { type: 'image_url', image_url: { url: 'https://images.test/1.jpg', detail: 'low' } },
      ],
    },
  ],
};

const message = (...content: object[]) => ({ type: 'message', role: 'assistant', content });
const said = (text: string) => message({ type: 'output_text', text });

const response = (fields: object = {}) => ({
  id: 'resp_1',
  object: 'response',
  model: 'm-1',
  status: 'completed',
  service_tier: 'flex',
  error: null,
  output: [said('fine')],
  usage: {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 2 },
    total_tokens: 15,
  },
  ...fields,
});

const choiceOf = (body: unknown) => decode(body, head).choices[0];

describe('a request of the Responses API', () => {
  it('says the same as that of chat', () => {
    expect(encode(request, false)).toEqual({
      model: 'm',
      store: false,
      max_output_tokens: 300,
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'What?' },
            { type: 'input_image', image_url: 'https://images.test/1.jpg', detail: 'low' },
          ],
        },
      ],
    });
  });

  it('has the system message, the schema, the effort and the verbosity in their own places', () => {
    const body = encode(
      {
        ...request,
        messages: [{ role: 'system', content: 'Be brief.' }, ...request.messages],
        reasoning_effort: 'low',
        verbosity: 'low',
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'cat', schema: { type: 'object' }, strict: true },
        },
        stream_options: { include_usage: true },
        ...{ reasoning: { summary: 'auto' }, metadata: { a: 'b' }, top_p: 0.5 },
      },
      true,
    );
    expect(body).toEqual({
      ...encode(request, false),
      instructions: 'Be brief.',
      reasoning: { summary: 'auto', effort: 'low' },
      text: {
        format: { type: 'json_schema', name: 'cat', schema: { type: 'object' }, strict: true },
        verbosity: 'low',
      },
      stream: true,
      metadata: { a: 'b' },
      top_p: 0.5,
    });
  });

  it('keeps bytes that are encoded right into the body, and asks for no fewer tokens than the API takes', () => {
    const url = new InlineBytes(new Uint8Array([1]), 'image/png') as unknown as string;
    const content = [{ type: 'image_url' as const, image_url: { url } }];
    const body = encode({ ...request, max_completion_tokens: 5, messages: [{ role: 'user', content }] }, false);
    expect(body).toMatchObject({ max_output_tokens: 16, input: [{ content: [{ type: 'input_image' }] }] });
    expect((body as { input: { content: { image_url: unknown }[] }[] }).input[0]?.content[0]?.image_url).toBe(url);
  });
});

describe('an answer of the Responses API', () => {
  it('says the same as a chat completion', () => {
    expect(decode(JSON.stringify(response()), head)).toEqual({
      id: 'resp_1',
      model: 'm-1',
      service_tier: 'flex',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'fine', refusal: '' } }],
      usage: {
        prompt_tokens: 10,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens: 5,
        completion_tokens_details: { reasoning_tokens: 2 },
        total_tokens: 15,
      },
    });
  });

  it('joins its texts and skips reasoning, commentary and what nobody knows', () => {
    const output = [
      { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] },
      { ...said('I look.'), phase: 'commentary' },
      { type: 'new_call', content: [{ type: 'output_text', text: 'no' }] },
      null,
      message({ type: 'output_text', text: 'A red ' }, { type: 'note', text: 'no' }, null as never),
      { ...said('square.'), phase: 'final_answer' },
    ];
    expect(choiceOf(response({ output }))?.message.content).toBe('A red square.');
  });

  it.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'content_filter'],
    ['steered', 'steered'],
    [undefined, 'incomplete'],
  ])('is incomplete for a reason: %s', (reason, expected) => {
    const incomplete_details = reason === undefined ? null : { reason };
    expect(choiceOf(response({ status: 'incomplete', incomplete_details }))?.finish_reason).toBe(expected);
  });

  it.each([
    ['cancelled', 'cancelled'],
    ['in_progress', 'incomplete'],
    ['queued', 'incomplete'],
  ])('did not end: %s', (status, expected) => {
    expect(choiceOf(response({ status }))?.finish_reason).toBe(expected);
  });

  it('has its refusal where chat has it', () => {
    const output = [message({ type: 'refusal', refusal: 'No.' })];
    expect(choiceOf(response({ output }))?.message).toMatchObject({ content: '', refusal: 'No.' });
  });

  it.each([
    [response({ status: 'failed', output: [], error: { code: 'rate_limit_exceeded', message: 'slow' } }), 429],
    [response({ status: 'failed', output: [], error: null }), 500],
    [{ error: { code: 'server_error', message: 'x' } }, 500],
  ])('is the error that it holds: %#', (body, status) => {
    expect(() => decode(body, head)).toThrow(expect.objectContaining({ name: 'AnswerError', status }));
  });

  it('is read where a gateway answers with a chat completion, or with a stream unasked', () => {
    const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'fine' } }];
    expect(choiceOf({ choices })?.message.content).toBe('fine');
    const events = [
      { type: 'response.output_text.delta', delta: 'fi' },
      { type: 'response.output_text.delta', delta: 'ne' },
      { type: 'response.completed', response: response() },
    ];
    const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
    expect(choiceOf(text)?.message.content).toBe('fine');
    expect(() => decode(text.slice(0, 60), head)).toThrow(expect.objectContaining({ error: undefined }));
  });

  it.each([null, 7, [], {}, { output: 'x' }, { object: 'response' }, { output: [7, { type: 'message' }] }])(
    'has no text where it is %j',
    (body) => {
      expect(decode(body, head).choices?.[0]?.message?.content ?? '').toBe('');
    },
  );
});

describe('a stream of the Responses API that nobody asked for', () => {
  it('may name its events outside their data', () => {
    const text = [
      'event: response.output_text.delta\ndata: {"output_index":0,"delta":"fine"}\n\n',
      'event: response.completed\ndata: {"response":{"status":"completed","output":[]}}\n\n',
    ].join('');
    expect(choiceOf(text)).toMatchObject({ finish_reason: 'stop', message: { content: 'fine' } });
    expect(() => decode('event: error\ndata: the GPU is gone\n\n', head)).toThrow('the GPU is gone');
  });
});

describe('a stream of the Responses API', () => {
  const read = (events: readonly { readonly type?: string }[], cut = 0) => {
    const deltas: string[] = [];
    const delta = (text: string) => void deltas.push(text);
    const sink = { clock: systemClock, delta, moved: () => {}, complete: () => {}, goesOn: () => {} };
    const reader = new StreamReader(responsesExchange, sink);
    const push = reader.takesChunks(200, { 'content-type': 'text/event-stream' });
    const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
    let failed: unknown;
    try {
      push?.(Buffer.from(text.slice(0, text.length - cut)));
    } catch (error) {
      failed = error;
    }
    return { streamed: () => deltas.join(''), failed, end: () => reader.completed(head) };
  };
  const delta = (text: string, fields: object = {}) => ({
    type: 'response.output_text.delta',
    output_index: 0,
    delta: text,
    ...fields,
  });
  const created = { type: 'response.created', response: response({ status: 'in_progress', output: [], usage: null }) };

  it('gives its deltas, and at the end all that the whole answer says', () => {
    const { streamed, end } = read([
      created,
      { type: 'response.shell_call.added' },
      delta('fi'),
      { type: 'response.reasoning_summary_text.delta', ...{ delta: 'hm' } },
      delta('ne'),
      { type: 'response.output_text.done', ...{ text: 'fine' } },
      { type: 'response.completed', ...{ response: response() } },
      delta('late'),
    ]);
    expect(streamed()).toBe('fine');
    expect(end()).toEqual(decode(response(), head));
  });

  it('leaves out a message that is commentary', () => {
    const { streamed } = read([
      { type: 'response.output_item.added', ...{ output_index: 0, item: { type: 'message', phase: 'commentary' } } },
      delta('I look.'),
      delta('fine', { output_index: 1 }),
    ]);
    expect(streamed()).toBe('fine');
  });

  it('gives the text of its end where no delta came', () => {
    const { streamed, end } = read([created, { type: 'response.completed', ...{ response: response() } }]);
    expect([streamed(), end().choices[0]?.message.content]).toEqual(['fine', 'fine']);
  });

  it('is cut off without its last event, and names what it has so far', () => {
    const { end } = read([created, delta('fi'), { type: 'response.completed', ...{ response: response() } }], 30);
    expect(end).toThrow(
      expect.objectContaining({
        completion: expect.objectContaining({ id: 'resp_1', model: 'm-1' }),
        error: undefined,
      }),
    );
  });

  it.each([
    [{ type: 'error', code: 'server_is_overloaded', message: 'busy', param: null }, 503],
    [{ type: 'error', code: null, message: 'The server had an error.', param: null }, 500],
    [{ type: 'error', error: { code: 'rate_limit_exceeded', message: 'slow' } }, 429],
    [
      {
        type: 'response.failed',
        response: response({ status: 'failed', error: { code: 'server_error', message: '' } }),
      },
      500,
    ],
  ])('ends with the error that it names: %#', (event, status) => {
    const { end } = read([created, delta('fi'), event]);
    expect(end).toThrow(expect.objectContaining({ status }));
  });

  it('is incomplete for its reason', () => {
    const incomplete = response({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    const { end } = read([created, delta('fi'), { type: 'response.incomplete', ...{ response: incomplete } }]);
    expect(end().choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'fi' } });
  });
});
