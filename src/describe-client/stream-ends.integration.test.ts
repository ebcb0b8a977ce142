import { createGzip } from 'node:zlib';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { useDisposables } from './disposables.fixture.ts';
import { codeOf, image } from './fake-api.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { chunk, type Exchange, end, sse, startStreamedApi, streamOf, usage } from './streamed-api.fixture.ts';
import { poolOf } from './stub-pool.fixture.ts';

const TEXT = 'A small red square, alone on a page.';
const words = TEXT.split(/(?<= )/);
const chunks = words.map((word) => chunk(word));

const disposables = useDisposables();

async function start(answer: (exchange: Exchange) => unknown, options: DescribeClientOptions = {}) {
  const api = await startStreamedApi(answer);
  const client = createDescribeClient({ apiKey: 'k', baseURL: api.baseURL, retry: false, ...options });
  disposables.push(api, { [Symbol.asyncDispose]: () => client.destroy() });
  return { api, client };
}

async function collect(stream: AsyncIterable<string>): Promise<string[]> {
  const deltas: string[] = [];
  for await (const delta of stream) deltas.push(delta);
  return deltas;
}

describe('a server', () => {
  it.each<[string, string, boolean]>([
    ['the mark of the end', streamOf(TEXT), false],
    ['its usage', sse(...chunks, end(), usage), false],
    ['the mark of the end, in compressed form', streamOf(TEXT), true],
  ])('that leaves the stream open after %s keeps nobody waiting', async (_what, text, isCompressed) => {
    const clock = new ManualClock();
    const { api, client } = await start(
      (exchange) => {
        if (!isCompressed) return exchange.write(text);
        exchange.response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
        const gzip = createGzip();
        gzip.pipe(exchange.response);
        gzip.write(text);
        return gzip.flush();
      },
      { clock, pool: { min: 0, max: 1 } },
    );
    const stream = client.stream({ image });
    expect(await collect(stream)).toEqual(words);
    expect(await stream.result).toMatchObject({ description: TEXT, usage: { promptTokens: 10 } });
    // The next call gets a connection as soon as the server had its time to end the answer.
    const next = client.describe({ image, prompt: 'Next?' });
    await clock.advance(100);
    expect((await next).description).toBe('A whole answer.');
    await api.exchanges[0]?.closed;
    expect(client.stats().calls).toEqual({ active: 0, succeeded: 2, failed: 0 });
  });

  it.each([
    ['of this package', false],
    ["of the user's own pool", true],
  ])(
    'of the Responses API that leaves the stream open keeps nobody waiting: with a client %s',
    async (_whose, isOwn) => {
      const clock = new ManualClock();
      const response = {
        object: 'response',
        status: 'completed',
        output: [],
        usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
      };
      const text = sse(...words.map((delta) => ({ type: 'response.output_text.delta', output_index: 0, delta })), {
        type: 'response.completed',
        response,
      });
      const { api, client } = await start((exchange) => exchange.write(text), {
        api: 'responses',
        clock,
        ...(isOwn && { pool: ({ baseURL }) => poolOf(new OpenAI({ apiKey: 'k', baseURL, maxRetries: 0 })) }),
      });
      const stream = client.stream({ image });
      expect(await collect(stream)).toEqual(words);
      expect(await stream.result).toMatchObject({ description: TEXT, usage: { promptTokens: 10 } });
      await clock.advance(100);
      await api.exchanges[0]?.closed;
    },
  );

  it('that ends the stream a little after its mark of the end keeps its connection', async () => {
    const { api, client } = await start(
      (exchange) => {
        exchange.write(streamOf(TEXT));
        setImmediate(() => exchange.end());
      },
      { pool: { min: 1, max: 1 } },
    );
    for (const prompt of ['a', 'b', 'c']) {
      const stream = client.stream({ image, prompt });
      expect((await collect(stream)).join('')).toBe(TEXT);
    }
    await client.close();
    expect(new Set(api.exchanges.map(({ port }) => port)).size).toBe(1);
  });

  it('that leaves the stream open after its finish reason is waited for at most 2 s, for its usage', async () => {
    const clock = new ManualClock();
    const { api, client } = await start((exchange) => exchange.write(sse(...chunks, end())), { clock });
    const stream = client.stream({ image });
    const deltas = stream[Symbol.asyncIterator]();
    for (let index = 0; index < words.length; index += 1) await deltas.next();
    await clock.advance(2_500);
    expect(await deltas.next()).toEqual({ done: true, value: undefined });
    expect((await stream.result).description).toBe(TEXT);
    await api.exchanges[0]?.closed;
  });

  /** As Gemini behind some gateways: https://github.com/BerriAI/litellm/issues/2195 */
  const always = words.map((word) => chunk(word, { finish_reason: 'stop' }));

  it.each([
    ['each chunk', sse(...always, 'data: [DONE]\n\n')],
    ['each chunk, and has no mark of the end', sse(...always)],
    ['each chunk, and then its usage', sse(...always, usage)],
    ['a chunk before its last', sse(...chunks.slice(0, -1), end(), ...chunks.slice(-1))],
  ])('that gives a finish reason with %s is read to its end', async (_what, text) => {
    const { client } = await start((exchange) => exchange.end(text));
    const stream = client.stream({ image });
    expect(await collect(stream)).toEqual(words);
    expect((await stream.result).description).toBe(TEXT);
  });

  it('that gives a finish reason with each chunk may pause, and is not whole when it breaks off', async () => {
    const clock = new ManualClock();
    const { api, client } = await start((exchange) => exchange.write(sse(...always.slice(0, 3))), { clock });
    const stream = client.stream({ image });
    const deltas = stream[Symbol.asyncIterator]();
    for (let index = 0; index < 3; index += 1) await deltas.next();
    await clock.advance(10_000);
    api.exchanges[0]?.write(sse(always[3] as object));
    expect(await deltas.next()).toEqual({ done: false, value: words[3] });
    api.exchanges[0]?.response.destroy();
    expect(await codeOf(deltas.next())).toBe('DESCRIBE_UPSTREAM');
    expect(await codeOf(stream.result)).toBe('DESCRIBE_UPSTREAM');
  });

  it('that gives an empty finish reason with each chunk is not whole before its end', async () => {
    const { client } = await start((exchange) => exchange.end(sse(chunk('A small ', { finish_reason: '' }))));
    expect(await codeOf(client.stream({ image }).result)).toBe('DESCRIBE_RESPONSE_INVALID');
  });
});
