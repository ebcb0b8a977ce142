import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { answer, body, cleanUp, json, KEY, makePool, startServer } from './openai-connection-pool.fixture.ts';

afterEach(cleanUp);

describe('the health of an OpenAIConnectionPool', () => {
  it('keeps calls back when the API refuses the key, and says so to everybody', async () => {
    const server = await startServer((_request, response) =>
      json(response, 401, { error: { message: 'Incorrect API key', code: 'invalid_api_key' } }),
    );
    const pool = makePool(server.baseURL, { min: 2 });
    await expect(pool.warmUp()).rejects.toMatchObject({ code: 'DESCRIBE_AUTH', status: 401 });
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'DESCRIBE_AUTH' });
    await expect(pool.use(() => 1)).rejects.toMatchObject({ code: 'DESCRIBE_AUTH' });
    expect(await pool.healthCheck()).toMatchObject({ status: 'unhealthy', keyRefused: true });
    expect(server.seen.length).toBeLessThanOrEqual(2);
  });

  it('asks again after 5 s, then after twice the time, and works again once the key is accepted', async () => {
    let refuses = true;
    const server = await startServer((request, response, text) => {
      if (refuses) json(response, 401, { error: { message: 'no', code: 'invalid_api_key' } });
      else answer(request, response, text);
    });
    const clock = new ManualClock();
    const pool = makePool(server.baseURL, { min: 2, clock });
    for (const waitMs of [5_000, 10_000]) {
      await expect(pool.warmUp()).rejects.toMatchObject({ code: 'DESCRIBE_AUTH', retryAfterMs: waitMs });
      expect(pool.getStats()).toMatchObject({ state: 'open', keyRefused: true, keyTriedInMs: waitMs });
      const asked = server.seen.length;
      await clock.advance(waitMs - 1);
      await expect(pool.use(() => 1)).rejects.toMatchObject({ code: 'DESCRIBE_AUTH', retryAfterMs: 1 });
      expect(server.seen).toHaveLength(asked);
      await clock.advance(1);
    }
    refuses = false;
    expect(await pool.healthCheck()).toMatchObject({ status: 'healthy', keyRefused: false });
    expect(pool.getStats()).not.toHaveProperty('keyTriedInMs');
    await expect(pool.use((client) => client.chat.completions.create(body))).resolves.toBeDefined();
    refuses = true;
    await pool.healthCheck();
    expect(pool.getStats()).toMatchObject({ keyTriedInMs: 5_000 });
  });

  it('keeps the key refused when another health check at the same time is answered', async () => {
    const answers: ((accepts: boolean) => void)[] = [];
    const server = await startServer((request, response, text) => {
      answers.push((accepts) => {
        if (accepts) answer(request, response, text);
        else json(response, 401, { error: { message: 'no', code: 'invalid_api_key' } });
      });
    });
    const pool = makePool(server.baseURL, { min: 2, healthCheckTimeoutMs: 60_000 });
    const warmed = pool.warmUp().catch((error: unknown) => error);
    await expect.poll(() => answers.length, { timeout: 10_000 }).toBe(2);
    answers[0]?.(false);
    await expect.poll(() => pool.getStats().keyRefused, { timeout: 10_000 }).toBe(true);
    answers[1]?.(true);
    expect(await warmed).toMatchObject({ code: 'DESCRIBE_AUTH' });
    await expect(pool.use(() => 1)).rejects.toMatchObject({ code: 'DESCRIBE_AUTH' });
  });

  it('repeats nothing of what the API said of a refused key', async () => {
    const message = `Incorrect API key provided: ${KEY}. hunter2`;
    const server = await startServer((_request, response) =>
      json(response, 401, { error: { message, code: 'invalid_api_key', type: 'invalid_request_error' } }),
    );
    const pool = makePool(server.baseURL, { min: 1 });
    const error = await pool.warmUp().catch((caught) => caught);
    expect(error).toMatchObject({
      code: 'DESCRIBE_AUTH',
      upstreamCode: 'invalid_api_key',
      requestId: 'req_1',
      cause: { name: 'AuthenticationError', status: 401, code: 'invalid_api_key' },
    });
    const shown = inspect(error, { depth: 10, showHidden: true });
    expect(shown).not.toContain('hunter2');
    expect(shown).not.toContain(KEY);
  });

  it('says that it was closed to who warms up meanwhile', async () => {
    let asked = () => {};
    const seen = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const server = await startServer((_request, _response) => asked());
    const pool = makePool(server.baseURL, { min: 2 });
    const warming = pool.warmUp();
    const rejected = expect(warming).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
    await seen;
    void pool.destroy();
    await rejected;
  });

  it('takes garbage for an answer: the connection works', async () => {
    const server = await startServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"object');
    });
    const pool = makePool(server.baseURL, { min: 1 });
    await pool.warmUp();
    expect(await pool.healthCheck()).toMatchObject({ status: 'healthy', checked: 1 });
  });

  it('cuts a connection on which a health check got no answer, whoever asked for it', async () => {
    const server = await startServer((_request, _response) => {});
    const pool = makePool(server.baseURL, { min: 0, healthCheckTimeoutMs: 30 });
    expect(await pool.healthCheck()).toMatchObject({ status: 'unhealthy', checked: 1, failed: 1 });
    expect(pool.getStats()).toMatchObject({ idle: 0, borrowed: 0 });
  });

  it('replaces a failed connection however its lease ends', async () => {
    const server = await startServer((request) => request.socket.destroy());
    const pool = makePool(server.baseURL, { min: 0, max: 1 });
    {
      await using lease = await pool.acquire();
      await lease.client.chat.completions.create(body).catch(() => {});
    }
    expect(pool.getStats()).toMatchObject({ idle: 0, borrowed: 0 });
  });

  it('reports health by asking the API', async () => {
    const server = await startServer();
    const pool = makePool(server.baseURL, { min: 1 });
    expect(await pool.healthCheck()).toEqual({ status: 'healthy', checked: 1, failed: 0, keyRefused: false });
    await server.stop();
    expect(await pool.healthCheck()).toMatchObject({ status: 'unhealthy', failed: 1 });
  });
});
