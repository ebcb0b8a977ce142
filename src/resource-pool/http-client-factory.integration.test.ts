import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/index.ts';
import { createResourcePool } from './create-resource-pool.ts';
import { HttpClientFactory, type HttpClientFactoryOptions } from './http-client-factory.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setUp(listener: RequestListener, options: Partial<HttpClientFactoryOptions> = {}) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const factory = new HttpClientFactory({ baseURL: `${origin}/api`, ...options });
  const pool = createResourcePool({ factory, maxSize: 2 });
  cleanups.push(() => pool.destroy());
  return { pool, origin };
}

const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-seen': 'yes' });
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
};

describe('HttpClientFactory', () => {
  it('makes clients that send and read JSON below the base URL', async () => {
    const { pool } = await setUp(echo, { headers: { 'x-team': 'vision' } });
    const { status, headers, data } = await pool.use((http) =>
      http.post('albums?a=1', { name: 'cats' }, { query: { page: 2 }, headers: { 'X-Team': 'own' } }),
    );
    expect(status).toBe(200);
    expect(headers['x-seen']).toBe('yes');
    expect(data).toMatchObject({
      method: 'POST',
      url: '/api/albums?a=1&page=2',
      body: '{"name":"cats"}',
      headers: { 'content-type': 'application/json', 'x-team': 'own' },
    });
    for (const method of ['get', 'put', 'delete'] as const) {
      const reply = await pool.use((http) => http[method]('/x'));
      expect(reply.data).toMatchObject({ method: method.toUpperCase(), url: '/api/x' });
    }
  });

  it('rejects on a status outside 200 to 299 and keeps the answer out of sight', async () => {
    const { pool } = await setUp((_request, response) => {
      response.writeHead(503, { 'content-type': 'application/json', 'x-request-id': 'r1' });
      response.end('{"secret":"of the server"}');
    });
    const error = await pool.use((http) => http.get('x')).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'DESCRIBE_UPSTREAM', status: 503, requestId: 'r1', retryable: true });
    expect(error).toHaveProperty('reply.data', { secret: 'of the server' });
    expect(JSON.stringify(error)).not.toContain('of the server');
    expect(pool.getStats()).toMatchObject({ idle: 1 });
  });

  it('bounds the whole answer by timeoutMs', async () => {
    const { pool } = await setUp((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{');
    });
    const error = await pool.use((http) => http.get('x', { timeoutMs: 30 })).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'DESCRIBE_TIMEOUT', timeoutMs: 30 });
  });

  it('bounds the answer by maxResponseBytes', async () => {
    const { pool } = await setUp((_request, response) => response.end('x'.repeat(1_000)), {
      maxResponseBytes: 100,
    });
    await expect(pool.use((http) => http.get('x'))).rejects.toMatchObject({
      code: 'DESCRIBE_RESPONSE_INVALID',
      message: expect.stringContaining('maxResponseBytes (100)'),
    });
  });

  it('never quotes JSON that does not parse', async () => {
    const { pool } = await setUp((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('secret{');
    });
    const error: unknown = await pool.use((http) => http.get('x')).catch((caught: unknown) => caught);
    expect(DescribeError.is(error, 'DESCRIBE_RESPONSE_INVALID')).toBe(true);
    expect(String(error)).not.toContain('secret');
  });

  it('refuses to leave its origin', async () => {
    const { pool } = await setUp(echo);
    await expect(pool.use((http) => http.get('http://elsewhere.example/x'))).rejects.toMatchObject({
      code: 'DESCRIBE_INPUT_INVALID',
    });
    const { data } = await pool.use((http) => http.get('//elsewhere.example/x'));
    expect(data).toMatchObject({ url: '/api/elsewhere.example/x' });
  });

  it('replaces a client whose connection failed', async () => {
    const { pool } = await setUp((request) => request.socket.destroy());
    await expect(pool.use((http) => http.get('x'))).rejects.toMatchObject({
      code: 'DESCRIBE_UPSTREAM',
      retryable: true,
    });
    await expect(pool.use((http) => http.get('x'))).rejects.toBeDefined();
    expect(pool.getStats()).toMatchObject({ retired: { invalid: 1 } });
  });

  it('refuses wrong options', () => {
    expect(() => new HttpClientFactory({ baseURL: 'ftp://x', timeoutMs: 0 })).toThrowError(/baseURL.*timeoutMs/);
  });
});
