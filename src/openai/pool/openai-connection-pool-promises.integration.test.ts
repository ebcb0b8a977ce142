import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type FakeOpenAI, type FakeOpenAIOptions, startFakeOpenAI } from '../../testing/index.ts';
import { OpenAIConnectionPool } from './openai-connection-pool.ts';
import type { OpenAIConnectionPoolOptions } from './openai-pool-options.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setUp(options: OpenAIConnectionPoolOptions = {}, server: FakeOpenAIOptions = {}) {
  const fake = await startFakeOpenAI(server);
  cleanups.push(() => fake.close());
  const pool = new OpenAIConnectionPool(fake.apiKey, fake.baseURL, options);
  cleanups.push(() => pool.destroy());
  return { fake, pool };
}

const call = (pool: OpenAIConnectionPool) =>
  pool.use((client) =>
    client.chat.completions.create({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Hello' }] }),
  );

/** Sleeps, and returns the seconds that it took, which may be more on a busy machine. */
async function sleepFor(durationMs: number): Promise<number> {
  const startedAtMs = performance.now();
  await sleep(durationMs);
  return Math.max(1, (performance.now() - startedAtMs) / 1_000);
}

const opened = (fake: FakeOpenAI) => fake.getStats().connections.opened;

describe('what the pool promises, by what the server saw', () => {
  it('opens exactly min connections at warmUp', async () => {
    const { fake, pool } = await setUp({ min: 2 });
    await pool.warmUp();
    expect(fake.getStats().connections).toMatchObject({ opened: 2, open: 2 });
    await pool.warmUp();
    expect(opened(fake)).toBe(2);
  });

  it('uses at most max connections for a thousand calls, and reuses them', async () => {
    const { fake, pool } = await setUp({ max: 10 });
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => call(pool)));
    expect(answers.every(({ choices }) => choices.length === 1)).toBe(true);
    const { connections, mostInFlight, requests } = fake.getStats();
    expect(requests).toBe(1_000);
    expect(connections.opened).toBeLessThanOrEqual(10);
    expect(mostInFlight).toBeLessThanOrEqual(10);
    expect(1 - connections.opened / requests).toBeGreaterThanOrEqual(0.98);
  });

  it('loses no call to a server that closes idle sockets', async () => {
    const { fake, pool } = await setUp({ min: 4, max: 4 });
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 8 }, () => call(pool)));
      fake.closeIdleConnections();
    }
    expect(fake.getStats().answersByStatus).toEqual({ 200: 160 });
    expect(pool.getStats().connections.failed).toBe(0);
  });

  it('loses no call to a server whose keep-alive is short', async () => {
    const { pool } = await setUp({ min: 2, max: 2 }, { keepAliveTimeoutMs: 20 });
    for (let round = 0; round < 15; round += 1) {
      await call(pool);
      await new Promise((resolve) => setTimeout(resolve, 10 + (round % 5) * 5));
    }
    expect(pool.getStats().connections.failed).toBe(0);
  });

  // A test in resource-pool/early-checks.test.ts shows on a clock that it takes no more than one health interval.
  it.each([
    { what: 'at once', intervalMs: 300, awayMs: 0 },
    { what: 'after a while', intervalMs: 300, awayMs: 80 },
    { what: 'after more than an interval', intervalMs: 200, awayMs: 300 },
  ])('heals by itself when the server is back $what, and loses no call', async (story) => {
    const { intervalMs, awayMs } = story;
    const { fake, pool } = await setUp({ min: 3, healthCheckInterval: intervalMs });
    for (let round = 0; round < 3; round += 1) {
      await pool.warmUp();
      // At different times between two checks.
      await sleep(round * 20);
      await fake.stop();
      await sleep(awayMs);
      await fake.start();
      await expect.poll(() => fake.getStats().connections.open).toBeGreaterThanOrEqual(3);
      await Promise.all([call(pool), call(pool), call(pool)]);
    }
    expect(await pool.healthCheck()).toMatchObject({ status: 'healthy' });
  });

  it('opens anew what the server closed while it was idle', async () => {
    const { fake, pool } = await setUp({ min: 3 });
    await pool.warmUp();
    fake.closeIdleConnections();
    // A new connection is seen before the answer to its first request is.
    await expect.poll(() => fake.getStats()).toMatchObject({ connections: { open: 3 }, answersByStatus: { 200: 6 } });
    expect(opened(fake)).toBe(6);
  });

  it('asks a server that is away only now and then', async () => {
    const { fake, pool } = await setUp({ min: 3, healthCheckInterval: 1_000 });
    await pool.warmUp();
    await fake.stop();
    const { requests } = pool.getStats().connections;
    const seconds = await sleepFor(1_000);
    expect(pool.getStats().connections.requests - requests).toBeLessThanOrEqual(15 * seconds);
  });

  it('does not chase a server that closes every connection after its answer', async () => {
    let answered = 0;
    const server = createServer((_request, response) => {
      answered += 1;
      response.setHeader('content-type', 'application/json');
      response.end('{"data":[]}', () => response.socket?.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const options = { min: 1, healthCheckInterval: 1_000 };
    const pool = new OpenAIConnectionPool('sk-any', `http://127.0.0.1:${port}/v1`, options);
    cleanups.push(() => pool.destroy());
    await pool.warmUp();
    const seconds = await sleepFor(1_000);
    expect(answered).toBeLessThanOrEqual(12 * seconds);
  });

  it('asks no more after the first 401 of a health check, until its next probe', async () => {
    const { fake } = await setUp();
    const pool = new OpenAIConnectionPool('sk-wrong', fake.baseURL, { min: 2, healthCheckInterval: 20 });
    cleanups.push(() => pool.destroy());
    await expect(pool.warmUp()).rejects.toMatchObject({ code: 'DESCRIBE_AUTH' });
    const asked = fake.getStats().answersByStatus[401];
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(fake.getStats().answersByStatus[401]).toBe(asked);
    await expect(call(pool)).rejects.toMatchObject({ code: 'DESCRIBE_AUTH' });
  });

  it('is not stopped by the 401 of a call', async () => {
    const { fake } = await setUp();
    const pool = new OpenAIConnectionPool('sk-wrong', fake.baseURL, { min: 0 });
    cleanups.push(() => pool.destroy());
    await expect(call(pool)).rejects.toMatchObject({ status: 401 });
    await expect(call(pool)).rejects.toMatchObject({ status: 401 });
  });

  it('replaces a connection after maxUsageCount calls, and keeps one that got a 500', async () => {
    const { fake, pool } = await setUp({ min: 0, max: 1, maxUsageCount: 5 });
    for (let index = 0; index < 10; index += 1) await call(pool);
    expect(opened(fake)).toBe(2);
    expect(pool.getStats().retired.usage).toBe(2);
    fake.setFaults([{ fault: { kind: 'error', status: 500 } }]);
    await expect(call(pool)).rejects.toMatchObject({ status: 500 });
    await expect(call(pool)).rejects.toMatchObject({ status: 500 });
    expect(opened(fake)).toBe(3);
    expect(pool.getStats().retired.broken).toBe(0);
  });

  it('serves others while one call hangs, and has its connection back when that is given up', async () => {
    const { fake, pool } = await setUp({ min: 0, max: 2 });
    fake.setFaults([{ when: { requests: 1 }, fault: { kind: 'hang' } }]);
    const controller = new AbortController();
    const hung = pool.use((client) =>
      client.chat.completions.create(
        { model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Hello' }] },
        { signal: controller.signal },
      ),
    );
    while (fake.getStats().inFlight === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all(Array.from({ length: 10 }, () => call(pool)));
    controller.abort(new Error('enough'));
    await expect(hung).rejects.toBeDefined();
    expect(pool.getStats()).toMatchObject({ borrowed: 0, waiting: 0 });
  });

  it('leaves no socket open after close', async () => {
    const { fake, pool } = await setUp({ min: 3 });
    await pool.warmUp();
    await pool.close();
    await expect.poll(() => fake.getStats().connections.open).toBe(0);
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
  });

  it('warms up for everybody who asks at once, each told when it is done or why not', async () => {
    const { fake, pool } = await setUp({ min: 2, warmUpOnStart: true });
    await pool.warmUp();
    expect(fake.getStats()).toMatchObject({ connections: { opened: 2 }, answersByStatus: { 200: 2 } });
    const refused = new OpenAIConnectionPool('sk-wrong', fake.baseURL, { min: 2, warmUpOnStart: true });
    cleanups.push(() => refused.destroy());
    const outcomes = await Promise.allSettled([refused.warmUp(), refused.warmUp()]);
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'DESCRIBE_AUTH' } },
      { status: 'rejected', reason: { code: 'DESCRIBE_AUTH' } },
    ]);
  });
});
