import fc from 'fast-check';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';
import type { Fault, FaultRule, Quirk } from './fault-plan.ts';
import { readImageFacts } from './image-facts.ts';
import { chatBody, clientOf, imageUrl, post } from './test-clients.ts';
import { createTestImage } from './test-image.ts';

/** Characters of one to four bytes. */
const TEXT = 'A cat, “purring” 🐈 — 猫 sits, 8×8.';

let server: FakeOpenAI;
beforeAll(async () => {
  const { hash } = readImageFacts(createTestImage());
  server = await startFakeOpenAI({ descriptions: { [hash]: TEXT } });
});
afterEach(() => {
  server.setFaults([]);
  server.reset();
});
afterAll(() => server.close());

const input = [
  { role: 'user' as const, content: [{ type: 'input_image' as const, image_url: imageUrl(), detail: 'low' as const }] },
];
const rules = (...faults: Fault[]) => server.setFaults(faults.map((fault): FaultRule => ({ fault })));

interface Read {
  readonly text: string;
  readonly refusal: string;
  /** The finish reasons of chat, or the types of the last event of Responses. */
  readonly end: unknown;
  readonly usage: unknown;
  readonly types: readonly string[];
}

/** Reads a stream of chat by the stock client. */
async function readChat(more: object = {}): Promise<Read> {
  let text = '';
  let refusal = '';
  let end: unknown;
  let usage: unknown;
  const stream = await clientOf(server).chat.completions.create({
    ...chatBody(imageUrl(), more),
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of stream) {
    usage = chunk.usage ?? usage;
    const [choice] = chunk.choices;
    text += choice?.delta.content ?? '';
    refusal += choice?.delta.refusal ?? '';
    end = choice?.finish_reason ?? end;
  }
  return { text, refusal, end, usage, types: [] };
}

/** Reads a stream of Responses by the stock client. */
async function readResponses(more: object = {}): Promise<Read> {
  let text = '';
  let refusal = '';
  let usage: unknown;
  const types: string[] = [];
  const stream = await clientOf(server).responses.create({ model: 'gpt-4.1-mini', input, stream: true, ...more });
  let expected = 0;
  for await (const event of stream) {
    expect(event.sequence_number).toBe(expected);
    expected += 1;
    types.push(event.type);
    if (event.type === 'response.output_text.delta') text += event.delta;
    if (event.type === 'response.refusal.delta') refusal += event.delta;
    if ('response' in event) usage = event.response.usage;
  }
  return { text, refusal, end: types.at(-1), usage, types };
}

const read = { chat: readChat, responses: readResponses };
const APIS = ['chat', 'responses'] as const;
/** Events of a Responses stream about one text, each kind once. */
const kindsOf = (types: readonly string[]) => types.filter((type, at) => type !== types[at - 1]);

describe('the events of Responses', () => {
  it('are those of one message', async () => {
    const { types, usage } = await readResponses();
    expect(kindsOf(types)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(usage).toMatchObject({ total_tokens: server.getStats().tokensBilled.total });
  });

  it('begin with the queue in the background, and with the reasoning and its summary', async () => {
    const { types, text } = await readResponses({ model: 'o3', background: true, reasoning: { summary: 'auto' } });
    expect(text).toBe(TEXT);
    expect(kindsOf(types).slice(0, 10)).toEqual([
      'response.created',
      'response.queued',
      'response.in_progress',
      'response.output_item.added',
      'response.reasoning_summary_part.added',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
      'response.output_item.done',
      'response.output_item.added',
    ]);
  });

  it("add up to what the client's own helper makes of them", async () => {
    const stream = clientOf(server).responses.stream({ model: 'o3', input });
    const response = await stream.finalResponse();
    expect(response.output_text).toBe(TEXT);
    expect(response.output.map(({ type }) => type)).toEqual(['reasoning', 'message']);
  });

  it('hold no message where reasoning fills the limit', async () => {
    const { text, end, types } = await readResponses({ model: 'o3', max_output_tokens: 64 });
    expect([text, end]).toEqual(['', 'response.incomplete']);
    expect(types.filter((type) => type === 'response.output_item.added')).toHaveLength(1);
    const chat = await readChat({ model: 'o3', max_completion_tokens: 64 });
    expect(chat).toMatchObject({ text: '', end: 'length', usage: { completion_tokens: 64 } });
  });

  it('end when the response failed, or without any last event', async () => {
    rules({ kind: 'status', status: 'failed', code: 'server_is_overloaded' });
    const failed = await readResponses();
    expect([failed.end, failed.usage]).toEqual(['response.failed', null]);
    expect(TEXT.startsWith(failed.text) && failed.text !== '' && failed.text !== TEXT).toBe(true);
    await expect(readChat()).rejects.toMatchObject({ code: 'server_is_overloaded' });
    rules({ kind: 'status', status: 'cancelled' });
    expect((await readResponses()).end).toBe('response.output_text.delta');
  });

  it('are named, numbered and padded, and have no [DONE]', async () => {
    const { text } = await post(server, '/v1/responses', { model: 'gpt-4.1-mini', input, stream: true });
    expect(text).not.toContain('[DONE]');
    const events = text
      .trimEnd()
      .split('\n\n')
      .map((event) => event.split('\n'));
    for (const [at, [name, data]] of events.entries()) {
      const { type, sequence_number } = JSON.parse(data?.slice('data: '.length) ?? '');
      expect([name, sequence_number]).toEqual([`event: ${type}`, at]);
    }
    expect(text).toContain('"obfuscation"');
    const bare = { model: 'gpt-4.1-mini', input, stream: true, stream_options: { include_obfuscation: false } };
    expect((await post(server, '/v1/responses', bare)).text).not.toContain('"obfuscation"');
  });
});

describe.each(APIS)('a stream of %s', (api) => {
  const whole = (more?: object) => read[api](more);
  const stopped = api === 'chat' ? 'stop' : 'response.completed';

  it.each([
    ['refusal', { kind: 'refusal', text: 'No, not, that.' }, { text: '', refusal: 'No, not, that.', end: stopped }],
    ['an empty text', { kind: 'finish', reason: 'stop', text: '' }, { text: '', end: stopped }],
    [
      'the limit',
      { kind: 'finish', reason: 'length', text: 'A cat' },
      { text: 'A cat', end: api === 'chat' ? 'length' : 'response.incomplete' },
    ],
    [
      'the filter',
      { kind: 'finish', reason: 'content_filter', text: 'A' },
      { text: 'A', end: api === 'chat' ? 'content_filter' : 'response.incomplete' },
    ],
  ] as [string, Fault, object][])('says %s', async (_, fault, expected) => {
    rules(fault);
    expect(await whole()).toMatchObject(expected);
  });

  const quirk: fc.Arbitrary<Quirk> = fc.record(
    {
      kind: fc.constant('quirk' as const),
      keepAlive: fc.boolean(),
      lineEnd: fc.constantFrom('lf' as const, 'crlf' as const),
      writes: fc.oneof(fc.constantFrom('joined' as const, 'events' as const), fc.integer({ min: 1, max: 200 })),
      done: fc.boolean(),
      unknown: fc.boolean(),
    },
    { requiredKeys: ['kind'] },
  );

  it('is read alike by the stock client, whatever its quirks', async () => {
    const plain = await whole();
    const property = fc.asyncProperty(quirk, async (given) => {
      rules(given);
      const { text, refusal, end, usage } = await whole();
      expect({ text, refusal, end }).toEqual({ text: TEXT, refusal: '', end: plain.end });
      expect(usage).toMatchObject({ total_tokens: expect.any(Number) });
    });
    await fc.assert(property, { numRuns: 25, seed: 15, examples: [[{ kind: 'quirk', lineEnd: 'crlf', writes: 1 }]] });
  });

  it('may tell no usage', async () => {
    rules({ kind: 'quirk', usage: false });
    const { text, usage } = await whole();
    expect([text, usage ?? undefined]).toEqual([TEXT, undefined]);
    expect(server.getStats().requestsBilled).toBe(1);
  });

  it('breaks after whole events, by an error, a reset or a silent end', async () => {
    const path = api === 'chat' ? '/v1/chat/completions' : '/v1/responses';
    const body = api === 'chat' ? chatBody() : { model: 'gpt-4.1-mini', input };
    const events = async () => (await post(server, path, { ...body, stream: true })).text.split('\n\n').filter(Boolean);
    rules({ kind: 'truncate', afterEvents: 4 });
    expect(await events()).toHaveLength(4);
    rules({ kind: 'stream-error', code: 'slow_down', afterEvents: 4 });
    const failed = await events();
    expect(failed).toHaveLength(5);
    expect(failed[4]).toContain('"code":"slow_down"');
    if (api === 'responses') expect(failed[4]).toContain('"sequence_number":4');
    await expect(whole()).rejects.toMatchObject({ code: 'slow_down' });
    rules({ kind: 'reset', at: 'mid-body', afterEvents: 4 });
    await expect(events()).rejects.toThrow();
    rules({ kind: 'stream-error', afterEvents: 0 });
    expect(await events()).toHaveLength(1);
  });

  it('has its quirks beside any other fault', async () => {
    rules({ kind: 'quirk', keepAlive: true }, { kind: 'refusal', text: 'No.' }, { kind: 'quirk', lineEnd: 'crlf' });
    expect(await whole()).toMatchObject({ text: '', refusal: 'No.' });
    expect(server.getStats().faults).toEqual({ quirk: 1, refusal: 1 });
    expect(server.seen()[0]?.fault).toBe('refusal');
  });
});

describe('the bytes of a stream', () => {
  const raw = async () => (await post(server, '/v1/chat/completions', { ...chatBody(), stream: true })).text;

  it('have comments, CRLF and no [DONE] where that is wanted', async () => {
    rules({ kind: 'quirk', keepAlive: true, lineEnd: 'crlf', done: false });
    const text = await raw();
    expect(text).toMatch(/^: ping\r\n\r\ndata: \{/);
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(text).not.toContain('[DONE]');
  });

  it('have what several quirks say, and of two the later', async () => {
    rules({ kind: 'quirk', keepAlive: true, done: false }, { kind: 'quirk', lineEnd: 'crlf', done: true });
    const text = await raw();
    expect(text).toMatch(/^: ping\r\n/);
    expect(text).toContain('[DONE]');
  });

  it('come one at a time, cut within characters', async () => {
    rules({ kind: 'quirk', writes: 1 });
    const response = await fetch(`${server.baseURL}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.apiKey}` },
      body: JSON.stringify({ ...chatBody(), stream: true }),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body ?? []) chunks.push(chunk);
    const whole = Buffer.concat(chunks);
    expect(chunks.length).toBeGreaterThan(whole.length / 2);
    const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;
    expect(chunks.some((chunk) => isContinuation(chunk[0]))).toBe(true);
    expect(whole.toString()).toContain('🐈');
  });

  it('end at any byte, within a character too', async () => {
    const whole = Buffer.from(await raw());
    const cat = whole.indexOf('🐈');
    for (const afterBytes of [0, 1, cat, cat + 1, cat + 2, cat + 3, cat + 4, whole.length - 1, whole.length + 9]) {
      rules({ kind: 'truncate', afterBytes });
      const response = await fetch(`${server.baseURL}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.apiKey}` },
        body: JSON.stringify({ ...chatBody(), stream: true }),
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      expect(bytes.length, String(afterBytes)).toBe(Math.min(afterBytes, whole.length));
    }
    rules({ kind: 'truncate', afterBytes: 30 });
    expect((await post(server, '/v1/chat/completions', chatBody())).text).toHaveLength(30);
  });

  it('stall with the stream open, and the client gives up', async () => {
    rules({ kind: 'stall', afterEvents: 3 });
    const abort = new AbortController();
    const stream = await clientOf(server).chat.completions.create(
      { ...chatBody(), stream: true },
      { signal: abort.signal },
    );
    let chunks = 0;
    for await (const _ of stream) {
      chunks += 1;
      if (chunks === 3) abort.abort();
    }
    expect(chunks).toBe(3);
    await expect.poll(() => server.getStats().aborted).toBe(1);
  });

  it('are refused when a quirk or a cut makes no sense', () => {
    for (const [fault, message] of [
      [{ kind: 'quirk', writes: 0 }, 'faults[0].fault.writes'],
      [{ kind: 'quirk', lineEnd: 'cr' }, 'faults[0].fault.lineEnd'],
      [{ kind: 'stall', afterEvents: -1 }, 'faults[0].fault.afterEvents'],
      [{ kind: 'reasoning' }, 'faults[0].fault.tokens'],
      [{ kind: 'status', status: 'done' }, 'faults[0].fault.status'],
    ] as [Fault, string][]) {
      expect(() => rules(fault), message).toThrow(message);
    }
  });
});

it('gives the stock client an APIError for an error event', async () => {
  rules({ kind: 'stream-error', code: 'server_is_overloaded', afterRatio: 0.5 });
  for (const api of APIS) {
    const error = await read[api]().catch((reason: unknown) => reason);
    expect(error, api).toBeInstanceOf(OpenAI.APIError);
  }
});
