import { afterEach, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { ManualClock } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import { codeOf, image } from './fake-api.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { completion } from './raw-api.fixture.ts';
import { chunk, type Exchange, end, sse, startStreamedApi, streamOf, usage } from './streamed-api.fixture.ts';

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
