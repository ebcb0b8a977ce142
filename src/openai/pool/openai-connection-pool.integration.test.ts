import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TEST_CERTIFICATE } from '../../http/certificate.fixture.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import {
  answer,
  body,
  cleanUp,
  cleanups,
  completion,
  json,
  KEY,
  makePool,
  startServer,
} from './openai-connection-pool.fixture.ts';

afterEach(cleanUp);

describe('OpenAIConnectionPool', () => {
  it('opens nothing before its first use', async () => {
    const server = await startServer();
    const pool = makePool(server.baseURL);
    expect(pool.getStats()).toMatchObject({ size: 0, connections: { opened: 0 } });
    expect(server.opened()).toBe(0);
  });

  it('opens and authenticates exactly min connections at warmUp', async () => {
    const server = await startServer();
    const pool = makePool(server.baseURL, { min: 2 });
    await pool.warmUp();
    expect(server.opened()).toBe(2);
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${KEY}`, `Bearer ${KEY}`]);
    expect(pool.getStats()).toMatchObject({ idle: 2, size: 2 });
  });

  it('opens its connections by TLS at warmUp, and none for the calls after it', async () => {
    const { cert, key } = TEST_CERTIFICATE;
    let handshakes = 0;
    const server = createHttpsServer({ cert, key, keepAliveTimeout: 60_000 }, (request, response) => {
      request.resume();
      request.on('end', () => answer(request, response, ''));
    });
    server.on('secureConnection', () => {
      handshakes += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(async () => server.close());
    const baseURL = `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const pool = makePool(baseURL, { min: 2, max: 2, tls: { ca: cert } });
    await pool.warmUp();
    expect(handshakes).toBe(2);
    await Promise.all(Array.from({ length: 20 }, () => pool.use((client) => client.chat.completions.create(body))));
    expect(handshakes).toBe(2);
    const wary = makePool(baseURL, { min: 1 });
    await expect(wary.warmUp()).rejects.toMatchObject({
      cause: { code: expect.stringMatching(/SELF_SIGNED|UNABLE/) },
    });
  });

  it('answers a call with data, response and headers', async () => {
    const server = await startServer();
    const pool = makePool(server.baseURL, { headers: { 'x-team': 'vision' } });
    const { data, response, request_id } = await pool.use((client) =>
      client.chat.completions.create(body, { timeout: 5_000 }).withResponse(),
    );
    expect(data.choices[0]?.message.content).toBe('a cat');
    expect(request_id).toBe('req_1');
    expect(response.headers.get('X-Request-Id')).toBe('req_1');
    expect(response.status).toBe(200);
    expect(server.seen[0]).toMatchObject({ url: '/v1/chat/completions', headers: { 'x-team': 'vision' } });
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual(body);
  });

  it('sends calls of one connection over one socket', async () => {
    const server = await startServer();
    const pool = makePool(server.baseURL, { min: 1, max: 3 });
    await Promise.all(Array.from({ length: 60 }, () => pool.use((client) => client.chat.completions.create(body))));
    expect(server.opened()).toBe(3);
    expect(pool.getStats().connections).toEqual({ opened: 3, requests: 60, resent: 0, failed: 0 });
  });

  it('streams, and lends the connection again only when the stream has ended', async () => {
    const chunk = (content: string) =>
      `data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] })}\n\n`;
    const server = await startServer((_request, response, text) => {
      if (!JSON.parse(text).stream) {
        json(response, 200, completion('next'));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk('a '));
      setTimeout(() => response.end(`${chunk('dog')}data: [DONE]\n\n`), 30);
    });
    const pool = makePool(server.baseURL, { min: 0, max: 1 });
    const stream = await pool.use((client) => client.chat.completions.create({ ...body, stream: true }));
    const order: string[] = [];
    const next = pool.use((client) => client.chat.completions.create(body)).then(() => order.push('next'));
    let text = '';
    for await (const part of stream) text += part.choices[0]?.delta.content ?? '';
    order.push('stream');
    await next;
    expect(text).toBe('a dog');
    expect(order).toEqual(['stream', 'next']);
    expect(server.opened()).toBe(1);
  });

  it('cuts no stream of a connection that is worn out', async () => {
    const server = await startServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': open\n\n');
      setTimeout(() => response.end(`data: ${JSON.stringify({ choices: [{ delta: { content: 'whole' } }] })}\n\n`), 40);
    });
    const pool = makePool(server.baseURL, { min: 0, max: 1, maxUsageCount: 1 });
    const stream = await pool.use((client) => client.chat.completions.create({ ...body, stream: true }));
    let text = '';
    for await (const part of stream) text += part.choices[0]?.delta.content ?? '';
    expect(text).toBe('whole');
    await new Promise((resolve) => setImmediate(resolve));
    expect(pool.getStats().retired.usage).toBe(1);
  });

  it('takes another connection while a stream is open', async () => {
    let end = () => {};
    const server = await startServer((_request, response, text) => {
      if (!JSON.parse(text).stream) {
        json(response, 200, completion('next'));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': open\n\n');
      end = () => response.end('data: [DONE]\n\n');
    });
    const pool = makePool(server.baseURL, { min: 0, max: 2 });
    const stream = await pool.use((client) => client.chat.completions.create({ ...body, stream: true }));
    const { choices } = await pool.use((client) => client.chat.completions.create(body, { timeout: 2_000 }));
    expect(choices[0]?.message.content).toBe('next');
    expect(pool.getStats()).toMatchObject({ borrowed: 1, idle: 1 });
    end();
    for await (const part of stream) expect(part).toBeUndefined();
    await new Promise((resolve) => setImmediate(resolve));
    expect(pool.getStats()).toMatchObject({ borrowed: 0, idle: 2 });
    expect(server.opened()).toBe(2);
  });

  it('shows an API error as the client does: status, code, type, headers', async () => {
    const server = await startServer((_request, response) =>
      json(
        response,
        429,
        { error: { message: 'slow down', type: 'requests', code: 'rate_limit_exceeded', param: null } },
        { 'retry-after': '7' },
      ),
    );
    const pool = makePool(server.baseURL);
    const error = await pool.use((client) => client.chat.completions.create(body)).catch((caught) => caught);
    expect(error).toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
      type: 'requests',
      requestID: 'req_1',
      message: '429 slow down',
    });
    expect(error.headers.get('retry-after')).toBe('7');
    expect(server.seen).toHaveLength(1);
    expect(pool.getStats()).toMatchObject({ retired: { broken: 0 } });
  });

  it('shows a refused connection as the client does, and replaces the connection', async () => {
    const server = await startServer();
    await server.stop();
    const pool = makePool(server.baseURL, { min: 1 });
    const error = await pool.use((client) => client.chat.completions.create(body)).catch((caught) => caught);
    expect(error.constructor.name).toBe('APIConnectionError');
    expect(error.status).toBeUndefined();
    expect(error.cause.code).toBe('ECONNREFUSED');
    expect(pool.getStats()).toMatchObject({ retired: { broken: 1 } });
    await startServer(answer, server.port);
    const { choices } = await pool.use((client) => client.chat.completions.create(body));
    expect(choices[0]?.message.content).toBe('a cat');
  });

  it('ends a call whose body stalls when its timeout is over', async () => {
    const server = await startServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"id":');
    });
    const pool = makePool(server.baseURL, { min: 0, max: 1 });
    const error = await pool
      .use((client) => client.chat.completions.create(body, { timeout: 50 }))
      .catch((caught) => caught);
    expect(error.constructor.name).toBe('APIConnectionTimeoutError');
    expect(pool.getStats()).toMatchObject({ borrowed: 0 });
  });

  it('aborts a call by its signal and keeps the slot', async () => {
    const controller = new AbortController();
    const server = await startServer((_request, _response) => controller.abort(new Error('enough')));
    const pool = makePool(server.baseURL, { min: 0, max: 1 });
    const call = pool.use((client) => client.chat.completions.create(body, { signal: controller.signal }));
    const error = await call.catch((caught) => caught);
    expect(error.constructor.name).toBe('APIUserAbortError');
    expect(pool.getStats()).toMatchObject({ borrowed: 0, retired: { broken: 0 } });
  });

  it('fails no call when the server closes every idle socket', async () => {
    const server = await startServer();
    const pool = makePool(server.baseURL, { min: 2, max: 2 });
    const call = () => pool.use((client) => client.chat.completions.create(body));
    await Promise.all([call(), call()]);
    for (let round = 0; round < 10; round += 1) {
      for (const socket of server.sockets) socket.destroy();
      const answers = await Promise.all([call(), call()]);
      expect(answers).toHaveLength(2);
    }
    expect(pool.getStats()).toMatchObject({ connections: { failed: 0 } });
  });

  it('leaves no timer after its end', async () => {
    const server = await startServer();
    const clock = new ManualClock();
    const pool = makePool(server.baseURL, { min: 2, clock, leakThresholdMs: 1_000 });
    await pool.warmUp();
    await pool.use((client) => client.chat.completions.create(body));
    expect(clock.pendingTimers).toBeGreaterThan(0);
    await pool.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits no longer than its signal, and tells its reason', async () => {
    const server = await startServer();
    const pool = makePool(server.baseURL, { min: 0, max: 1 });
    const lease = await pool.acquire();
    const reason = new Error('enough');
    await expect(pool.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = pool.use(() => 1, { signal: controller.signal });
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    lease.release();
    expect(() => lease.client).toThrowError(/has ended/);
  });

  it('speaks Azure when it is given an API version', async () => {
    const server = await startServer();
    const pool = makePool(server.baseURL.replace('/v1', '/openai'), { apiVersion: '2024-10-21' });
    await pool.use((client) => client.chat.completions.create({ ...body, model: 'my-deployment' }));
    expect(server.seen[0]?.url).toBe('/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21');
    expect(server.seen[0]?.headers['api-key']).toBe(KEY);
  });

  it('shows the key nowhere', async () => {
    const server = await startServer();
    const pool = makePool(server.baseURL);
    await pool.warmUp();
    await using lease = await pool.acquire();
    expect(JSON.stringify([pool.getStats(), pool, lease])).not.toContain(KEY);
  });
});
