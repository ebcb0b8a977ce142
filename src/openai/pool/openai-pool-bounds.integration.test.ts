import { createPrivateKey } from 'node:crypto';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { TEST_CERTIFICATE } from '../../http/certificate.fixture.ts';
import type { TlsOptions } from '../../http/connection/tls-options.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { body, cleanUp, cleanups, completion, json, makePool, startServer } from './openai-connection-pool.fixture.ts';
import type { OpenAIConnectionPoolOptions } from './openai-pool-options.ts';

afterEach(cleanUp);

/** A pool of one connection, which is lent. */
async function lentPool(options: OpenAIConnectionPoolOptions) {
  const clock = new ManualClock();
  const server = await startServer();
  const pool = makePool(server.baseURL, { min: 0, max: 1, clock, ...options });
  const lease = await pool.acquire();
  const reasons: unknown[] = [];
  const wait = () => pool.acquire().catch((reason) => reasons.push(reason));
  return { clock, pool, lease, reasons, wait };
}

describe('the bounds of waiting', () => {
  it('end a wait for a connection after acquireTimeoutMs', async () => {
    const { clock, reasons, wait } = await lentPool({ acquireTimeoutMs: 50 });
    wait();
    await clock.advance(49);
    expect(reasons).toEqual([]);
    await clock.advance(1);
    expect(reasons).toMatchObject([{ code: 'DESCRIBE_POOL_TIMEOUT' }]);
  });

  it('refuse more callers than maxWaiting', async () => {
    const { clock, reasons, wait } = await lentPool({ maxWaiting: 1 });
    wait();
    await clock.flush();
    expect(reasons).toEqual([]);
    wait();
    await clock.flush();
    expect(reasons).toMatchObject([{ code: 'DESCRIBE_QUEUE_FULL' }]);
  });
});

describe('the bounds of connections', () => {
  it('replace a connection that is older than maxLifetimeMs', async () => {
    const server = await startServer();
    const clock = new ManualClock();
    const pool = makePool(server.baseURL, { min: 0, max: 1, clock, maxLifetimeMs: 1_000 });
    const call = () => pool.use((client) => client.chat.completions.create(body));
    await call();
    await call();
    expect(server.opened()).toBe(1);
    await clock.advance(2_000);
    await call();
    expect(server.opened()).toBe(2);
  });

  it('close a connection above min that was idle for idleTimeoutMs', async () => {
    const server = await startServer();
    const clock = new ManualClock();
    const pool = makePool(server.baseURL, { min: 0, max: 1, clock, idleTimeoutMs: 1_000 });
    await pool.use((client) => client.chat.completions.create(body));
    expect(pool.size).toBe(1);
    await clock.advance(2_000);
    expect(pool.size).toBe(0);
  });

  it('take a permit for each connection, and give it back', async () => {
    const server = await startServer();
    let taken = 0;
    const take = () => {
      taken += 1;
      return true;
    };
    const give = () => {
      taken -= 1;
    };
    const permits = { join: () => ({ take, give, keeps: () => true }) };
    const pool = makePool(server.baseURL, { max: 2, permits });
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    expect(taken).toBe(2);
    for (const lease of leases) lease.release();
    await pool.close();
    expect(taken).toBe(0);
  });

  it('report a loan that is older than leakThresholdMs', async () => {
    const { clock, pool, lease } = await lentPool({ leakThresholdMs: 1_000 });
    const leaks: unknown[] = [];
    pool.on('leaked', (leak) => leaks.push(leak));
    await clock.advance(2_000);
    expect(leaks).toMatchObject([{ acquiredAt: expect.stringContaining('openai-pool-bounds') }]);
    lease.release();
  });
});

describe('the connections of a pool', () => {
  it('carry organization and project with every request', async () => {
    const server = await startServer();
    const pool = makePool(server.baseURL, { min: 0, organization: 'org-own', project: 'proj-own' });
    await pool.use((client) => client.chat.completions.create(body));
    expect(server.seen[0]?.headers).toMatchObject({ 'openai-organization': 'org-own', 'openai-project': 'proj-own' });
  });

  it('go through the proxy', async () => {
    const proxy = await startServer();
    const pool = makePool('http://api.example/v1', { min: 0, proxy: `http://127.0.0.1:${proxy.port}` });
    await pool.use((client) => client.chat.completions.create(body));
    expect(proxy.seen.map(({ url }) => url)).toEqual(['http://api.example/v1/chat/completions']);
  });

  it('are opened at once with warmUpOnStart', async () => {
    const server = await startServer();
    makePool(server.baseURL, { min: 1, warmUpOnStart: true });
    await expect.poll(() => server.seen.length).toBe(1);
  });

  it('are checked every healthCheckInterval', async () => {
    const server = await startServer();
    const clock = new ManualClock();
    const pool = makePool(server.baseURL, { min: 1, clock, healthCheckInterval: 1_000 });
    await pool.warmUp();
    const { length } = server.seen;
    await clock.advance(2_000);
    await expect.poll(() => server.seen.length).toBeGreaterThan(length);
  });
});

describe('the bounds of an answer', () => {
  it('end a connect that takes longer than connectTimeoutMs', async () => {
    const sockets: Socket[] = [];
    // It takes the connection, and never says a word of TLS.
    const silent = createTcpServer((socket) => sockets.push(socket.on('error', () => {})));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    cleanups.push(async () => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    // The call has an end of its own, before the default of the option.
    const pool = makePool(`https://127.0.0.1:${port}/v1`, { min: 0, connectTimeoutMs: 20, requestTimeoutMs: 8_000 });
    const error = await pool.use((client) => client.chat.completions.create(body)).catch((caught) => caught);
    expect(error.cause).toMatchObject({ code: 'UND_ERR_CONNECT_TIMEOUT' });
  });

  it('end a call that names no timeout after requestTimeoutMs', async () => {
    const server = await startServer(() => {});
    const pool = makePool(server.baseURL, { min: 0, requestTimeoutMs: 30 });
    const error = await pool.use((client) => client.chat.completions.create(body)).catch((caught) => caught);
    expect(error.constructor.name).toBe('APIConnectionTimeoutError');
  });

  it('refuse an answer of more than maxResponseBytes', async () => {
    const server = await startServer((_request, response) => json(response, 200, completion('a cat'.repeat(1_000))));
    const pool = makePool(server.baseURL, { min: 0, maxResponseBytes: 1_000 });
    await expect(pool.use((client) => client.chat.completions.create(body))).rejects.toMatchObject({
      cause: { message: expect.stringContaining('1000') },
    });
  });

  it('end a stream that pauses for longer than streamIdleTimeoutMs', async () => {
    const clock = new ManualClock();
    const server = await startServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'a' } }] })}\n\n`);
    });
    const pool = makePool(server.baseURL, { min: 0, clock, streamIdleTimeoutMs: 1_000 });
    const stream = await pool.use((client) => client.chat.completions.create({ ...body, stream: true }));
    const deltas = stream[Symbol.asyncIterator]();
    expect((await deltas.next()).value?.choices[0]?.delta.content).toBe('a');
    const reasons: unknown[] = [];
    const next = deltas.next().catch((reason) => reasons.push(reason));
    await clock.advance(2_000);
    await next;
    expect(String(reasons[0])).toMatch(/stood still/);
  });
});

describe('the TLS of a pool', () => {
  /** A server that answers with what it saw of the other side. */
  async function secureServer(options: ServerOptions = {}) {
    const { cert, key } = TEST_CERTIFICATE;
    const server = createHttpsServer({ cert, key, ...options }, (request, response) => {
      const socket = request.socket as TLSSocket & { readonly servername: unknown };
      request.resume();
      json(response, 200, completion(`${socket.servername} ${socket.authorized}`));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    const baseURL = `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    return async (tls: TlsOptions) => {
      const { choices } = await makePool(baseURL, { min: 0, tls }).use((client) =>
        client.chat.completions.create(body),
      );
      return choices[0]?.message.content;
    };
  }
  const { cert: ca, cert, key } = TEST_CERTIFICATE;

  it('asks for servername', async () => {
    const call = await secureServer();
    expect(await call({ ca, servername: 'localhost' })).toBe('localhost false');
  });

  it('takes any certificate with rejectUnauthorized: false, and none of its own making otherwise', async () => {
    const call = await secureServer();
    expect(await call({ rejectUnauthorized: false })).toMatch(/false$/);
    await expect(call({})).rejects.toThrow();
  });

  it('shows its certificate, by a key that a passphrase opens', async () => {
    const call = await secureServer({ requestCert: true, rejectUnauthorized: false, ca });
    const passphrase = 'open sesame';
    const locked = createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase });
    expect(await call({ ca, cert, key: String(locked), passphrase })).toMatch(/true$/);
    expect(await call({ ca })).toMatch(/false$/);
  });
});
