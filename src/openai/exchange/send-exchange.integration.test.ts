import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { Deferred } from '../../internal/async/deferred.ts';
import { headerOf } from '../../internal/upstream/response-headers.ts';
import {
  answer,
  body,
  cleanUp,
  type Handler,
  json,
  makePool,
  startServer,
} from '../pool/openai-connection-pool.fixture.ts';
import type { OpenAIConnectionPoolOptions } from '../pool/openai-pool-options.ts';
import { chatExchange } from './chat-exchange.ts';
import { encodeRequest } from './encode-request.ts';
import { sendRequest } from './send-exchange.ts';

afterEach(cleanUp);

const never = new AbortController().signal;

/** Sends as the facade does. */
const direct = async (client: OpenAI, model = body.model, signal = never) =>
  sendRequest(client, body, {
    exchange: chatExchange,
    encoded: await encodeRequest({ ...body, model }),
    clientRequestId: 'id-1',
    resends: true,
    endsWithinMs: 30_000,
    signal,
  });

/** Sends as a client of the pool does by itself. */
const byClient = async (client: OpenAI) =>
  client.chat.completions
    .create(body, {
      ...(await encodeRequest(body)),
      headers: { 'content-type': 'application/json', 'X-Client-Request-Id': 'id-1' },
    })
    .withResponse();

interface Failure extends Error {
  readonly headers?: unknown;
}

const failureOf = (call: Promise<unknown>): Promise<Failure> =>
  call.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );

/** The results of both ways for the same answer, on one connection. */
async function bothWays(handler: Handler, options: OpenAIConnectionPoolOptions = {}) {
  const server = await startServer(handler);
  const pool = makePool(server.baseURL, { min: 1, max: 1, ...options });
  return {
    server,
    direct: () => pool.use((client) => direct(client)),
    byClient: () => pool.use((client) => byClient(client)),
  };
}

describe('a chat request sent directly', () => {
  it.each([
    {},
    { organization: 'org-1', project: 'proj-1', headers: { 'x-tenant': 'a', 'user-agent': 'mine' } },
    { apiVersion: '2024-10-21', headers: { 'x-tenant': 'a' } },
  ])('is the one that the client sends, byte for byte: %j', async (options) => {
    const ways = await bothWays(answer, options);
    await ways.byClient();
    const { completion, headers } = await ways.direct();
    await ways.direct();
    const [first, ...others] = ways.server.seen;
    expect(others).toEqual([first, first]);
    expect(first?.headers).toMatchObject({
      'x-client-request-id': 'id-1',
      'content-type': 'application/json',
    });
    expect(completion.choices[0]?.message.content).toBe('a cat');
    expect((completion as { _request_id?: unknown })._request_id).toBe('req_1');
    expect(headerOf(headers, 'x-request-id')).toBe('req_1');
    expect(ways.server.opened()).toBe(1);
  });

  it.each([{}, { apiVersion: '2024-10-21' }])(
    'carries the key that its client has by then, which a pool of your own may renew: %j',
    async (options) => {
      const server = await startServer();
      const pool = makePool(server.baseURL, { min: 1, max: 1, ...options });
      const keys = ['sk-first', 'sk-second'];
      for (const apiKey of keys) await pool.use((client) => direct(Object.assign(client, { apiKey })));
      await pool.use((client) => direct(Object.assign(client, { organization: 'org-9' })));
      const [first, second, third] = server.seen.map(({ headers }) => headers);
      const keyOf = (headers: typeof first) => headers?.['api-key'] ?? headers?.['authorization'];
      expect([first, second].map((headers) => String(keyOf(headers)).replace('Bearer ', ''))).toEqual(keys);
      expect(third?.['openai-organization']).toBe('org-9');
    },
  );

  it('is left to a client whose own way of sending was replaced, as tracing does', async () => {
    const server = await startServer();
    const pool = makePool(server.baseURL, { min: 1, max: 1 });
    const { completion } = await pool.use(async (client) => {
      const { completions } = client.chat;
      const create = completions.create.bind(completions);
      let traced = 0;
      completions.create = ((...args: Parameters<typeof create>) => {
        traced += 1;
        return create(...args);
      }) as typeof completions.create;
      const answered = await direct(client);
      expect(traced).toBe(1);
      return answered;
    });
    expect(completion.choices[0]?.message.content).toBe('a cat');
  });

  it('is left to a client whose class was wrapped before it was made', async () => {
    const { prototype } = OpenAI.Chat.Completions;
    const { create } = prototype;
    let traced = 0;
    prototype.create = Object.assign(
      function (this: typeof prototype, ...args: Parameters<typeof create>) {
        traced += 1;
        return create.apply(this, args);
      } as typeof create,
      { __wrapped: true },
    );
    try {
      const server = await startServer();
      await makePool(server.baseURL, { min: 1, max: 1 }).use((client) => direct(client));
    } finally {
      prototype.create = create;
    }
    expect(traced).toBe(1);
  });

  it('goes to the deployment of its own model with Azure', async () => {
    const server = await startServer();
    const pool = makePool(server.baseURL, { min: 1, max: 1, apiVersion: '2024-10-21' });
    for (const model of ['one', 'two', 'one']) await pool.use((client) => direct(client, model));
    expect(server.seen.map(({ url }) => /deployments\/(\w+)\//.exec(url)?.[1])).toEqual(['one', 'two', 'one']);
  });

  it.each<[string, Handler]>([
    [
      '429',
      (_, response) =>
        json(response, 429, { error: { message: 'm', type: 't', code: 'c', param: 'p' } }, { 'retry-after': '7' }),
    ],
    ['401', (_, response) => json(response, 401, { error: { message: 'no', code: 'invalid_api_key' } })],
    ['500 without JSON', (_, response) => response.writeHead(500, { 'content-type': 'text/html' }).end('<p>oh')],
    ['502 without a body', (_, response) => response.writeHead(502).end()],
    ['302', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
  ])('fails as the client does: %s', async (_, handler) => {
    const ways = await bothWays(handler);
    const [given, expected] = [await failureOf(ways.direct()), await failureOf(ways.byClient())];
    const shape = (error: Failure) => ({
      name: error.constructor.name,
      retryAfter: headerOf(error.headers, 'retry-after'),
      ...['message', 'status', 'code', 'type', 'param', 'requestID'].map((field) => Reflect.get(error, field)),
    });
    expect(shape(given)).toEqual(shape(expected));
  });

  it('tells an answer that breaks off, one that is no JSON, and one that takes too long', async () => {
    const broken = await bothWays((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"id"');
      setTimeout(() => response.destroy(), 5);
    });
    const cut = await failureOf(broken.direct());
    expect(cut.constructor.name).toBe('APIConnectionError');
    expect(cut.cause).toBeInstanceOf(Error);
    const malformed = await bothWays((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"id"');
    });
    expect(await failureOf(malformed.direct())).toMatchObject({ status: 200, error: undefined });
    const text = await bothWays((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('hello');
    });
    expect(await failureOf(text.direct())).toMatchObject({ status: 200, error: undefined });
    const empty = await bothWays((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end();
    });
    expect(await failureOf(empty.direct())).toMatchObject({ status: 200, error: undefined });
    const silent = await bothWays(() => {}, { requestTimeoutMs: 30 });
    expect(await failureOf(silent.direct())).toMatchObject({ cause: { code: 'DESCRIBE_TIMEOUT' } });
  });

  it.each([200, 500])('is bound by its deadline to the end of a text that trickles: %i', async (status) => {
    const isCut = new Deferred<void>();
    const server = await startServer((_, response) => {
      response.writeHead(status, { 'content-type': 'text/html' });
      const timer = setInterval(() => response.write('x'), 5);
      response.on('close', () => {
        clearInterval(timer);
        isCut.resolve();
      });
    });
    const pool = makePool(server.baseURL, { min: 1, max: 1, requestTimeoutMs: 60 });
    const signal = AbortSignal.timeout(2_000);
    const failure = await failureOf(pool.use((client) => direct(client, body.model, signal)));
    expect(failure.constructor.name).toBe(status === 500 ? 'InternalServerError' : 'APIConnectionError');
    if (status === 200) expect(failure).toMatchObject({ cause: { code: 'DESCRIBE_TIMEOUT' } });
    expect(signal.aborted).toBe(false);
    await isCut.promise;
  });

  it('ends with its signal, and cuts the connection', async () => {
    const isCut = new Deferred<void>();
    const server = await startServer((_, response) => response.on('close', () => isCut.resolve()));
    const pool = makePool(server.baseURL, { min: 1, max: 1 });
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 10);
    const failure = await failureOf(pool.use((client) => direct(client, body.model, controller.signal)));
    expect(failure.cause).toBe(reason);
    await isCut.promise;
  });
});
