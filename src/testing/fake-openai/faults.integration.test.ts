import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ERROR_TABLE } from './error-table.ts';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';
import type { Fault, RetryAfter } from './fault-plan.ts';
import { describeImageFacts } from './image-facts.ts';
import { askOverHttp, chatBody, clientOf, dataUrl, imageUrl, PACK_SCHEMA, post } from './test-clients.ts';
import { createTestImage } from './test-image.ts';

let server: FakeOpenAI;
beforeEach(async () => {
  server = await startFakeOpenAI();
});
afterEach(async () => {
  await server.close();
});

const always = (fault: Fault) => server.setFaults([{ fault }]);
const ask = () => clientOf(server).chat.completions.create(chatBody());
const askRaw = (more: object = {}) => post(server, '/v1/chat/completions', chatBody(imageUrl(), more));

describe('error answers', () => {
  it.each(Object.entries(ERROR_TABLE))('%s reaches the client as the API sends it', async (code, row) => {
    always({ kind: 'error', code });
    const error = await ask().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error).toMatchObject({ status: row.status, code, type: row.type });
    expect((error as InstanceType<typeof OpenAI.APIError>).requestID).toMatch(/^req_/);
    expect(server.getStats().tokensBilled.total).toBe(0);
  });

  it.each([400, 401, 403, 404, 408, 409, 429, 500, 503])('%i without a code', async (status) => {
    always({ kind: 'error', status });
    const { status: got, json } = await askRaw();
    expect(got).toBe(status);
    expect(json.error).toMatchObject({ code: null, message: expect.any(String), type: expect.any(String) });
  });

  it.each([502, 504])('%i comes from a gateway that speaks HTML', async (status) => {
    always({ kind: 'error', status });
    const answer = await askRaw();
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(answer.text).toContain(`<h1>${status}`);
    await expect(ask()).rejects.toMatchObject({ status });
  });

  it('sends a body and headers of the plan as they are', async () => {
    always({ kind: 'error', status: 500, body: 'oops', headers: { 'x-should-retry': 'false' } });
    const answer = await askRaw();
    expect(answer.text).toBe('oops');
    expect(answer.headers.get('x-should-retry')).toBe('false');
  });

  it.each<[RetryAfter['form'], RegExp | null, string | null]>([
    ['seconds', /^3$/, null],
    ['milliseconds', null, '2500'],
    ['both', /^3$/, '2500'],
    ['http-date', /GMT$/, null],
  ])('tells the wait as %s', async (form, retryAfter, ms) => {
    always({ kind: 'error', code: 'rate_limit_exceeded', retryAfter: { form, ms: 2500 } });
    const askedAtMs = Date.now();
    const { headers } = await askRaw();
    if (retryAfter === null) expect(headers.get('retry-after')).toBeNull();
    else expect(headers.get('retry-after')).toMatch(retryAfter);
    expect(headers.get('retry-after-ms')).toBe(ms);
    if (form === 'http-date') {
      // Whole seconds, from some time between the question and the answer.
      const until = Date.parse(headers.get('retry-after') ?? '');
      expect(until).toBeGreaterThan(askedAtMs + 1500);
      expect(until).toBeLessThan(Date.now() + 4000);
    }
    expect(server.getStats()).toMatchObject({ rateLimited: 1, limitsReached: 0 });
  });
});

describe('answers that never come whole', () => {
  it('hangs before headers', async () => {
    always({ kind: 'hang' });
    expect(await askOverHttp(server)).toEqual({ text: '', bytes: 0, error: 'SILENT' });
    await expect.poll(() => server.getStats().aborted).toBe(1);
    expect(server.getStats().requestsBilled).toBe(0);
  });

  it('stalls in the body, which is billed', async () => {
    always({ kind: 'stall' });
    const answer = await askOverHttp(server);
    expect(answer).toMatchObject({ status: 200, error: 'SILENT' });
    expect(answer.bytes).toBe(Math.floor((answer.length ?? 0) / 2));
    expect(server.getStats().requestsBilled).toBe(1);
  });

  it('stalls in a stream', async () => {
    always({ kind: 'stall', afterRatio: 0.3 });
    const answer = await askOverHttp(server, { stream: true });
    expect(answer).toMatchObject({ status: 200, error: 'SILENT' });
    expect(answer.text).toContain('data: {');
    expect(answer.text).not.toContain('[DONE]');
  });

  it('resets before the answer, which is not billed', async () => {
    always({ kind: 'reset', at: 'before-answer' });
    expect(await askOverHttp(server)).toEqual({ text: '', bytes: 0, error: 'ECONNRESET' });
    await expect(ask()).rejects.toThrow('Connection error');
    expect(server.getStats()).toMatchObject({ requestsBilled: 0, faults: { reset: 2 }, aborted: 0 });
    expect(server.seen()[0]).toMatchObject({ outcome: 'broken', status: undefined, fault: 'reset' });
  });

  it('resets in the middle of the body, which is billed', async () => {
    always({ kind: 'reset', at: 'mid-body' });
    const answer = await askOverHttp(server);
    expect(answer).toMatchObject({ status: 200, error: 'ECONNRESET' });
    expect(answer.text).toMatch(/^\{"id":"chatcmpl-/);
    expect(server.getStats()).toMatchObject({ requestsBilled: 1, aborted: 0 });
    expect(server.seen()[0]).toMatchObject({ outcome: 'broken', status: 200 });
    await expect(ask()).rejects.toThrow();
  });

  it('resets in the middle of a stream', async () => {
    always({ kind: 'reset', at: 'mid-body' });
    const pieces: string[] = [];
    const read = async () => {
      const stream = await clientOf(server).chat.completions.create({ ...chatBody(), stream: true });
      for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? '');
    };
    await expect(read()).rejects.toThrow();
    expect(pieces.length).toBeGreaterThan(0);
  });
});

describe('streams that end with an error', () => {
  it('throws the API error in the middle of chat', async () => {
    always({ kind: 'stream-error', code: 'server_is_overloaded' });
    let text = '';
    const read = async () => {
      const stream = await clientOf(server).chat.completions.create({ ...chatBody(), stream: true });
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    };
    await expect(read()).rejects.toMatchObject({ code: 'server_is_overloaded' });
    expect(text).toMatch(/^PNG/);
    expect((await ask()).choices[0]?.finish_reason).toBe('stop');
  });

  it('throws it in the middle of Responses', async () => {
    always({ kind: 'stream-error', status: 500 });
    const types: string[] = [];
    const read = async () => {
      const request = { model: 'gpt-4.1-mini', input: 'hello', stream: true } as const;
      for await (const event of await clientOf(server).responses.create(request)) types.push(event.type);
    };
    await read().catch((error: unknown) => types.push(String(error)));
    expect(types[0]).toBe('response.created');
    expect(types.at(-1)).toMatch(/error/i);
    expect(types).not.toContain('response.completed');
  });
});

describe('answers that are not what they should be', () => {
  it('cuts the JSON of the body, well-formed as HTTP', async () => {
    always({ kind: 'truncate' });
    const answer = await askOverHttp(server);
    expect(answer).toMatchObject({ status: 200, length: answer.bytes });
    expect(answer.error).toBeUndefined();
    expect(() => JSON.parse(answer.text)).toThrow();
  });

  it('cuts a stream before its end', async () => {
    always({ kind: 'truncate' });
    const { text, error } = await askOverHttp(server, { stream: true });
    expect(error).toBeUndefined();
    expect(text).not.toContain('[DONE]');
  });

  it("cuts only the model's own text", async () => {
    always({ kind: 'truncate', where: 'content', afterRatio: 0.25 });
    const { choices } = await ask();
    expect(choices[0]?.message.content).toBe('PNG 8×');
    expect(choices[0]?.finish_reason).toBe('stop');
  });

  it('sends other JSON', async () => {
    always({ kind: 'wrong-json' });
    expect((await askRaw()).json).toEqual({ unexpected: true });
    always({ kind: 'wrong-json', json: [] });
    expect((await askRaw()).text).toBe('[]');
    always({ kind: 'wrong-json', where: 'content', json: { items: 'none' } });
    expect((await ask()).choices[0]?.message.content).toBe('{"items":"none"}');
  });

  it('sends other headers with a good answer', async () => {
    always({ kind: 'headers', headers: { 'x-ratelimit-limit-requests': '-1', 'openai-organization': '' } });
    const { status, headers } = await askRaw();
    expect(status).toBe(200);
    expect(headers.get('x-ratelimit-limit-requests')).toBe('-1');
    expect(headers.get('openai-organization')).toBe('');
  });

  it('refuses', async () => {
    always({ kind: 'refusal', text: 'No.' });
    const { choices } = await ask();
    expect(choices[0]?.message).toMatchObject({ content: null, refusal: 'No.' });
    const response = await clientOf(server).responses.create({ model: 'gpt-4.1-mini', input: 'hello' });
    expect(response.output[0]).toMatchObject({ content: [{ type: 'refusal', refusal: 'No.' }] });
  });

  it('answers without any text, and with an error inside a 200', async () => {
    always({ kind: 'finish', reason: 'stop', text: '' });
    expect((await ask()).choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: '' } });
    always({ kind: 'error', status: 200, code: 'insufficient_quota' });
    expect(await ask()).toMatchObject({ error: { code: 'insufficient_quota' } });
  });

  it.each(['length', 'content_filter'] as const)('finishes early for %s', async (reason) => {
    always({ kind: 'finish', reason });
    const { choices } = await ask();
    expect(choices[0]?.finish_reason).toBe(reason);
    expect(choices[0]?.message.content?.length).toBeGreaterThan(0);
    const response = await clientOf(server).responses.create({ model: 'gpt-4.1-mini', input: 'hello' });
    expect(response.status).toBe('incomplete');
    expect(response.incomplete_details?.reason).toBe(reason === 'length' ? 'max_output_tokens' : reason);
  });
});

describe('structured answers', () => {
  const schema = PACK_SCHEMA;
  const images = [1, 2, 3].map((seed) => createTestImage({ seed }));
  const askPack = async () => {
    const { choices } = await clientOf(server).chat.completions.create({
      model: 'gpt-4.1-mini',
      messages: [
        {
          role: 'user',
          content: images.flatMap((image, at) => [
            { type: 'text' as const, text: `Image id: x${at}` },
            { type: 'image_url' as const, image_url: { url: dataUrl(image) } },
          ]),
        },
      ],
      response_format: { type: 'json_schema', json_schema: { name: 'pack', strict: true, schema } },
    });
    const { items } = JSON.parse(choices[0]?.message.content ?? '') as {
      items: { id: string; description: string }[];
    };
    return items;
  };

  it.each<[Extract<Fault, { kind: 'items' }>, string[]]>([
    [{ kind: 'items', change: 'missing' }, ['x0', 'x1']],
    [{ kind: 'items', change: 'missing', count: 3 }, []],
    [{ kind: 'items', change: 'duplicated' }, ['x0', 'x1', 'x2', 'x0']],
    [{ kind: 'items', change: 'reordered' }, ['x2', 'x1', 'x0']],
    [{ kind: 'items', change: 'invented', count: 2 }, ['x0', 'x1', 'x2', 'invented-1', 'invented-2']],
  ])('%o', async (fault, ids) => {
    always(fault);
    const items = await askPack();
    expect(items.map(({ id }) => id)).toEqual(ids);
    for (const { id, description } of items) {
      const image = images[Number(id.slice(1))];
      if (image !== undefined && id.startsWith('x')) expect(description).toBe(describeImageFacts(image));
    }
  });
});
