import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { ManualClock } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import { codeOf, image } from './fake-api.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { completion } from './raw-api.fixture.ts';
import { chunk, type Exchange, end, sse, startStreamedApi, streamOf, usage } from './streamed-api.fixture.ts';
import { poolOf } from './stub-pool.fixture.ts';

const TEXT = 'A small red square, alone on a page.';

let client: DescribeClient | undefined;
let stop: (() => PromiseLike<void>) | undefined;

afterEach(async () => {
  await client?.destroy();
  await stop?.();
  stop = undefined;
});

async function start(answer: (exchange: Exchange, index: number) => unknown, options: DescribeClientOptions = {}) {
  const api = await startStreamedApi(answer);
  stop = () => api[Symbol.asyncDispose]();
  const { baseURL } = api;
  client = createDescribeClient({ apiKey: 'k', baseURL, retry: { initialDelayMs: 1, maxDelayMs: 5 }, ...options });
  return { api, client };
}

async function collect(stream: AsyncIterable<string>): Promise<string[]> {
  const deltas: string[] = [];
  for await (const delta of stream) deltas.push(delta);
  return deltas;
}

describe('a stream', () => {
  it('gives each delta, then the result with usage, cost and id', async () => {
    const { api, client } = await start((exchange) => exchange.end(streamOf(TEXT)));
    const stream = client.stream({ image, model: 'gpt-4.1-mini' });
    const deltas = await collect(stream);
    expect(deltas.length).toBeGreaterThan(5);
    expect(deltas.join('')).toBe(TEXT);
    const result = await stream.result;
    expect(result).toMatchObject({
      description: TEXT,
      source: 'upstream',
      model: 'm',
      usage: { promptTokens: 10, completionTokens: 5 },
      requestId: 'r1',
    });
    expect(result.explain.attempts).toMatchObject([{ outcome: 'success' }]);
    expect(api.exchanges[0]?.body).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
      store: false,
    });
    expect(client.stats().calls).toEqual({ active: 0, succeeded: 1, failed: 0 });
  });

  it('gives a delta as soon as it arrives', async () => {
    let more!: () => void;
    const { client } = await start((exchange) => {
      exchange.write(sse(chunk('A small ')));
      more = () => exchange.end(sse(chunk('square.'), end()));
    });
    const stream = client.stream({ image });
    const deltas = stream[Symbol.asyncIterator]();
    expect(await deltas.next()).toEqual({ done: false, value: 'A small ' });
    more();
    expect(await deltas.next()).toEqual({ done: false, value: 'square.' });
    expect(await deltas.next()).toEqual({ done: true, value: undefined });
    expect((await stream.result).description).toBe('A small square.');
  });

  it('keeps the deltas that nobody reads', async () => {
    const { client } = await start((exchange) => exchange.end(streamOf(TEXT)));
    const stream = client.stream({ image });
    expect((await stream.result).description).toBe(TEXT);
    expect((await collect(stream)).join('')).toBe(TEXT);
  });

  it('is iterated once', async () => {
    const { client } = await start((exchange) => exchange.end(streamOf(TEXT)));
    const stream = client.stream({ image });
    await collect(stream);
    expect(await codeOf(collect(stream))).toBe('DESCRIBE_INPUT_INVALID');
  });

  it('rejects an input that is wrong, in both ways', async () => {
    const { client } = await start(() => {});
    const stream = client.stream({ image, maxOutputTokens: 0 });
    expect(await codeOf(collect(stream))).toBe('DESCRIBE_INPUT_INVALID');
    expect(await codeOf(stream.result)).toBe('DESCRIBE_INPUT_INVALID');
  });
});

describe('a server', () => {
  const words = TEXT.split(/(?<= )/);
  const chunks = words.map((word) => chunk(word));

  it.each<[string, string]>([
    [
      'writes comments to keep the connection alive',
      sse(': ping\n\n', ...chunks.flatMap((one) => [one, ': ping\n\n']), end()),
    ],
    ['ends its lines with CRLF', sse(...chunks, end()).replaceAll('\n', '\r\n')],
    ['ends its lines with CR', sse(...chunks, end()).replaceAll('\n', '\r')],
    ['begins with a byte order mark', `\ufeff${sse(...chunks, end())}`],
    ['sends no mark of the end', sse(...chunks, end(), usage)],
    ['sends no usage', sse(...chunks, end(), 'data: [DONE]\n\n')],
    ['sends no blank line after its last event', sse(...chunks, end()).trimEnd()],
    ['leaves out the blank lines', sse(...chunks, end()).replaceAll('\n\n', '\n')],
    [
      'sends events that nobody knows',
      sse('event: x\ndata: {"a":1}\n\n', 'data: 5\n\n', 'data: no\n\n', ...chunks, end()),
    ],
    [
      'sends its usage in each event',
      sse(...chunks.map((one) => ({ ...one, ...usage, choices: (one as { choices: unknown }).choices })), end()),
    ],
    ['sends a filter result first', sse({ choices: [], prompt_filter_results: [] }, ...chunks, end())],
    ['goes on after the mark of the end', sse(...chunks, end(), 'data: [DONE]\n\n', chunk('More.'), end('length'))],
    ['fails after the finish reason', sse(...chunks, end(), { error: { message: 'late', code: 500 } })],
  ])('that %s is read', async (_quirk, text) => {
    const { client } = await start((exchange) => exchange.end(text));
    const stream = client.stream({ image, cache: 'no-store' });
    expect(await collect(stream)).toEqual(words);
    expect((await stream.result).description).toBe(TEXT);
  });

  it('that writes byte by byte is read', async () => {
    const text = 'Größe: 🐈 und ☕.';
    const { client } = await start(async (exchange) => {
      for (const byte of Buffer.from(streamOf(text))) exchange.write(Uint8Array.of(byte));
      exchange.end();
    });
    expect((await collect(client.stream({ image }))).join('')).toBe(text);
  });

  it('that ignores the wish for a stream gives one delta', async () => {
    const { client } = await start((exchange) => exchange.json(completion(TEXT)));
    const stream = client.stream({ image });
    expect(await collect(stream)).toEqual([TEXT]);
    expect((await stream.result).usage).toMatchObject({ promptTokens: 10 });
  });

  it('that refuses `stream_options` is asked without, from then on', async () => {
    const { api, client } = await start((exchange) => {
      if ('stream_options' in exchange.body)
        exchange.json({ error: { message: 'Unknown parameter: stream_options', param: 'stream_options' } }, 400);
      else exchange.end(streamOf(TEXT));
    });
    for (let call = 0; call < 2; call += 1) {
      expect((await collect(client.stream({ image, cache: 'no-store' }))).join('')).toBe(TEXT);
    }
    expect(api.exchanges.map(({ body }) => 'stream_options' in body)).toEqual([true, false, false]);
  });

  it('that fails before the first delta is asked again', async () => {
    const { api, client } = await start((exchange, index) => {
      if (index === 0) exchange.json({ error: { message: 'busy', code: 'x' } }, 503);
      else if (index === 1) exchange.end(sse({ error: { message: 'The server had an error', type: 'server_error' } }));
      else exchange.end(streamOf(TEXT));
    });
    const stream = client.stream({ image });
    expect((await collect(stream)).join('')).toBe(TEXT);
    expect((await stream.result).explain.attempts.map(({ outcome }) => outcome)).toEqual([
      'failure',
      'failure',
      'success',
    ]);
    expect(api.exchanges).toHaveLength(3);
  });

  it.each<[string, string, string, number | undefined]>([
    [
      'an error',
      sse(chunk('A small '), { error: { message: 'busy', type: 'rate_limit_error' } }),
      'DESCRIBE_RATE_LIMITED',
      429,
    ],
    [
      'an error of the server',
      sse(chunk('A small '), { error: { message: 'no', type: 'server_error' } }),
      'DESCRIBE_UPSTREAM',
      500,
    ],
    [
      'an event that is named an error',
      sse(chunk('A small '), 'event: error\ndata: {"message":"no","code":503}\n\n'),
      'DESCRIBE_OVERLOADED',
      503,
    ],
    ...[
      'data: {"error":"the GPU is gone"}',
      'data: {"error":{"message":"the GPU is gone"}}',
      'data: [{"error":{"message":"the GPU is gone"}}]',
      'data: {"object":"error","message":"the GPU is gone"}',
      'data: {"type":"error","message":"the GPU is gone"}',
      'event: error\ndata: {"message":"the GPU is gone"}',
      'event: error\ndata: "the GPU is gone"',
      'event: error\ndata: the GPU is gone',
    ].map((event): [string, string, string, number] => [
      `an error without a code: ${event}`,
      sse(chunk('A small '), `${event}\n\n`, chunk('box.'), end()),
      'DESCRIBE_UPSTREAM',
      500,
    ]),
    ['its end', sse(chunk('A small ')), 'DESCRIBE_RESPONSE_INVALID', 200],
    ['its limit', sse(chunk('A small '), end('length'), usage), 'DESCRIBE_OUTPUT_TRUNCATED', 200],
    ['a filter', sse(chunk('A small '), end('content_filter')), 'DESCRIBE_REFUSED', 200],
  ])('that ends midway with %s fails the call, which is not repeated', async (_what, text, code, status) => {
    const { api, client } = await start((exchange) => exchange.end(text), { fallback: ['stale', { model: 'gpt-4o' }] });
    const stream = client.stream({ image });
    const deltas: string[] = [];
    const failed = (async () => {
      for await (const delta of stream) deltas.push(delta);
    })();
    expect(await codeOf(failed)).toBe(code);
    expect(deltas).toEqual(['A small ']);
    const error = await stream.result.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, status, explain: { attempts: [{ outcome: 'failure' }] } });
    expect(api.exchanges).toHaveLength(1);
  });

  it('that breaks the connection midway fails the call with what it was billed', async () => {
    const { api, client } = await start((exchange) => {
      exchange.write(
        sse(chunk('A small ', {}, { usage: { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 } })),
      );
      setImmediate(() => exchange.response.destroy());
    });
    const stream = client.stream({ image });
    expect(await codeOf(collect(stream))).toBe('DESCRIBE_UPSTREAM');
    const error = await stream.result.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ usage: { promptTokens: 10, completionTokens: 1 } });
    expect(api.exchanges).toHaveLength(1);
  });

  it('that breaks the connection after the finish reason has answered', async () => {
    const { client } = await start((exchange) => {
      exchange.write(sse(...chunks, end()));
      setImmediate(() => exchange.response.destroy());
    });
    const stream = client.stream({ image });
    expect((await collect(stream)).join('')).toBe(TEXT);
    expect((await stream.result).description).toBe(TEXT);
  });

  it('that stands still for attemptTimeoutMs is given up, however long it spoke before', async () => {
    const clock = new ManualClock();
    let speak!: (event: object) => void;
    const { client } = await start(
      (exchange) => {
        speak = (event) => exchange.write(sse(event));
        speak(chunk('A '));
      },
      { attemptTimeoutMs: 1_000, timeoutMs: 60_000, clock },
    );
    const stream = client.stream({ image });
    const deltas = stream[Symbol.asyncIterator]();
    for (const word of ['small ', 'red ', 'square']) {
      expect((await deltas.next()).done).toBe(false);
      await clock.advance(900);
      speak(chunk(word));
    }
    await deltas.next();
    const ended = codeOf(deltas.next());
    await clock.advance(1_100);
    await clock.advance(1_100);
    expect(await ended).toBe('DESCRIBE_TIMEOUT');
    const error = await stream.result.catch((thrown: unknown) => thrown);
    expect(DescribeError.is(error) && error.message).toContain('stood still');
  });
});

describe('a stream that is left', () => {
  it.each<[string, (deltas: AsyncIterator<string>) => unknown]>([
    ['by a break', (deltas) => deltas.return?.()],
    ['by a throw', (deltas) => deltas.throw?.(new DOMException('enough', 'AbortError')).catch(() => {})],
  ])('%s ends its request', async (_how, leave) => {
    const { api, client } = await start((exchange) => exchange.write(sse(chunk('A small '))));
    const stream = client.stream({ image });
    const deltas = stream[Symbol.asyncIterator]();
    await deltas.next();
    await leave(deltas);
    await expect(stream.result).rejects.toMatchObject({ name: 'AbortError' });
    await api.exchanges[0]?.closed;
    expect(await deltas.next()).toEqual({ done: true, value: undefined });
    expect(client.stats()).toMatchObject({ calls: { active: 0, failed: 1 }, admission: { calls: 0 } });
  });

  it('while it waits for a delta ends the wait', async () => {
    const { api, client } = await start((exchange) => exchange.write(sse(chunk('A small '))));
    const deltas = client.stream({ image })[Symbol.asyncIterator]();
    await deltas.next();
    const next = deltas.next();
    await deltas.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    await api.exchanges[0]?.closed;
  });

  it('by its signal ends its request, and throws the reason', async () => {
    const { api, client } = await start((exchange) => exchange.write(sse(chunk('A small '))));
    const controller = new AbortController();
    const stream = client.stream({ image, signal: controller.signal });
    const deltas = stream[Symbol.asyncIterator]();
    await deltas.next();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(deltas.next()).rejects.toBe(reason);
    await expect(stream.result).rejects.toBe(reason);
    await api.exchanges[0]?.closed;
  });

  it('goes on for another caller, who has all of it', async () => {
    const { api, client } = await start((exchange) => exchange.write(sse(chunk('A small '))));
    const first = client.stream({ image })[Symbol.asyncIterator]();
    await first.next();
    const second = client.stream({ image });
    const deltas = second[Symbol.asyncIterator]();
    expect(await deltas.next()).toEqual({ done: false, value: 'A small ' });
    const described = client.describe({ image });
    await first.return?.();
    api.exchanges[0]?.end(sse(chunk('square.'), end(), usage));
    expect(await deltas.next()).toEqual({ done: false, value: 'square.' });
    expect(await deltas.next()).toEqual({ done: true, value: undefined });
    expect(await second.result).toMatchObject({ description: 'A small square.', source: 'shared' });
    expect((await second.result).usage).toBeUndefined();
    expect(await described).toMatchObject({ description: 'A small square.', source: 'shared' });
    expect(api.exchanges).toHaveLength(1);
  });
});

describe('a description that is there', () => {
  it('in the cache is a stream of one delta', async () => {
    const { api, client } = await start((exchange) => exchange.end(streamOf(TEXT)));
    await client.stream({ image }).result;
    const stream = client.stream({ image });
    expect(await collect(stream)).toEqual([TEXT]);
    expect(await stream.result).toMatchObject({ description: TEXT, source: 'memory' });
    expect(await client.describe({ image })).toMatchObject({ description: TEXT, source: 'memory' });
    expect(api.exchanges).toHaveLength(1);
  });

  it('at the end of a running `describe` comes to a stream that joins it', async () => {
    const { api, client } = await start(() => {});
    const described = client.describe({ image });
    const stream = client.stream({ image });
    expect(await collect(stream)).toEqual(['A whole answer.']);
    expect((await stream.result).source).toBe('shared');
    await described;
    expect(api.exchanges).toHaveLength(1);
  });

  it('without a cache is still shared by streams', async () => {
    const { api, client } = await start((exchange) => exchange.write(sse(chunk('A small '))), { cache: false });
    const streams = [client.stream({ image }), client.stream({ image })];
    const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
    for (const deltas of iterators) expect((await deltas.next()).value).toBe('A small ');
    api.exchanges[0]?.end(sse(chunk('square.'), end()));
    for (const deltas of iterators) expect((await deltas.next()).value).toBe('square.');
    expect(api.exchanges).toHaveLength(1);
  });

  it('with thoughts whose opening tag is missing ends the iteration with an error, and the result is right', async () => {
    const { client } = await start((exchange) => exchange.end(streamOf('A dog? No. </think>A cat.')));
    const stream = client.stream({ image });
    expect(await codeOf(collect(stream))).toBe('DESCRIBE_RESPONSE_INVALID');
    expect((await stream.result).description).toBe('A cat.');
    expect(await collect(client.stream({ image }))).toEqual(['A cat.']);
  });

  it('has data of its schema, and its JSON as deltas', async () => {
    const schema = { name: 's', jsonSchema: { type: 'object' }, parse: (value: unknown) => value as { size: number } };
    const { client } = await start((exchange) => exchange.end(streamOf('{ "size": 1.0, "words": "a b" }')));
    const stream = client.stream({ image, schema });
    expect((await collect(stream)).join('')).toBe('{"size":1.0,"words":"a b"}');
    const { data, description } = await stream.result;
    expect(data).toEqual({ size: 1, words: 'a b' });
    expect(JSON.parse(description)).toEqual(data);
  });

  it('is not packed with others, and is there for other prompts at the same time', async () => {
    const { api, client } = await start((exchange) => exchange.end(streamOf(TEXT)), { batch: { maxBatchWaitMs: 1 } });
    const streams = ['a', 'b', 'c'].map((prompt) => client.stream({ image, prompt }));
    for (const stream of streams) expect((await collect(stream)).join('')).toBe(TEXT);
    expect(api.streams()).toHaveLength(3);
    expect(client.batch?.getMetrics()).toMatchObject({ accepted: 0 });
  });
});

describe("a stream through a user's own pool", () => {
  it('is asked of its client, and has the same deltas, result and errors', async () => {
    let answer = streamOf(TEXT);
    const api = await startStreamedApi((exchange) => exchange.end(answer));
    stop = () => api[Symbol.asyncDispose]();
    const openai = new OpenAI({ apiKey: 'k', baseURL: api.baseURL, maxRetries: 0 });
    const own = createDescribeClient({ apiKey: 'k', baseURL: api.baseURL, pool: () => poolOf(openai), cache: false });
    client = own;
    const ask = async () => {
      const stream = own.stream({ image });
      const deltas: string[] = [];
      await codeOf(
        (async () => {
          for await (const delta of stream) deltas.push(delta);
        })(),
      );
      return { deltas, result: await stream.result.catch((error: unknown) => error) };
    };
    const whole = await ask();
    expect(whole.deltas.join('')).toBe(TEXT);
    expect(whole.result).toMatchObject({ description: TEXT, usage: { promptTokens: 10 }, requestId: 'r1' });
    answer = sse(chunk('A small '), { error: { message: 'busy', type: 'rate_limit_error' } });
    expect(await ask()).toMatchObject({ deltas: ['A small '], result: { code: 'DESCRIBE_RATE_LIMITED', status: 429 } });
    answer = sse(chunk('A small '));
    expect(await ask()).toMatchObject({ deltas: ['A small '], result: { code: 'DESCRIBE_RESPONSE_INVALID' } });
  });
});
