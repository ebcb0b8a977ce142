import { getEventListeners } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpClient } from '../http-client.ts';
import { cleanUp, listen, open, overHttp } from './http-connection.fixture.ts';

afterEach(cleanUp);

const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('a connection that never opens', () => {
  it('is failed once a request was given up before it was sent, so that nobody else waits for it', async () => {
    const sockets: Socket[] = [];
    const tcp = createTcpServer((socket) => sockets.push(socket));
    const port = await listen(tcp as never);
    const { connection, send } = await open(`https://127.0.0.1:${port}`, { connectTimeoutMs: 5_000 });
    const controller = new AbortController();
    const call = send({ signal: controller.signal });
    await expect.poll(() => sockets.length).toBe(1);
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    expect(connection.failed).toBe(true);
    expect(connection.inFlight).toBe(0);
  });

  it('stays good when its request ran out of time after it was sent', async () => {
    const { connection, send } = await overHttp(() => {});
    await expect(send({ timeoutMs: 30 })).rejects.toMatchObject({ code: 'DESCRIBE_TIMEOUT' });
    expect(connection.failed).toBe(false);
  });
});

describe('a proxy', () => {
  it('shows its sockets in the counts, and which of them are reused', async () => {
    let answers = 0;
    const proxy = createHttpServer((request, response) => {
      request.resume();
      answers += 1;
      // The third request arrives on a socket that has carried none, so its end is no race with keep-alive.
      if (answers === 3) request.socket.destroy();
      else response.writeHead(200, answers === 2 ? { connection: 'close' } : {}).end('ok');
    });
    const port = await listen(proxy);
    const { counters, send } = await open('http://api.example', { proxy: `http://127.0.0.1:${port}` });
    await send();
    await send();
    expect(counters.opened).toBe(1);
    await soon();
    await expect(send()).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    expect(answers).toBe(3);
    expect(counters).toMatchObject({ opened: 2, resent: 0 });
  });

  it('that refuses a header leaves nothing waiting, nothing listening and the connection as it was', async () => {
    const port = await listen(createHttpServer((_, response) => response.end('ok')));
    const { connection, send } = await open('http://api.example', { proxy: `http://127.0.0.1:${port}` });
    const { signal } = new AbortController();
    const refused = send({ headers: ['x-key', 'a\r\nb'], signal, timeoutMs: 60_000 });
    await expect(refused).rejects.toMatchObject({ code: 'UND_ERR_INVALID_ARG' });
    expect(connection.inFlight).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(connection.failed).toBe(false);
    expect(await send()).toMatchObject({ status: 200 });
  });
});

describe('an HTTP client', () => {
  async function client() {
    const seen: { body: string; type: string | undefined }[] = [];
    const { port, connection } = await overHttp((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push({ body: Buffer.concat(chunks).toString(), type: request.headers['content-type'] });
        response.end();
      });
    });
    const settings = { baseURL: `http://127.0.0.1:${port}`, headers: {}, timeoutMs: 1_000 };
    return { http: new HttpClient(connection, settings), connection, seen };
  }

  it.each([
    ['a path that is no URL', 'http://[', {}],
    ['a time that is no number', 'x', { timeoutMs: Number.NaN }],
    ['a negative time', 'x', { timeoutMs: -1 }],
    ['a header with a line break', 'x', { headers: { 'x-key': 'hunter2\r\nhost: evil' } }],
    ['a header name with a space', 'x', { headers: { 'x key': 'hunter2' } }],
    ['a header that belongs to the connection', 'x', { headers: { 'transfer-encoding': 'chunked' } }],
    ['a body with a cycle', 'x', { body: cyclic() }],
  ])('blames its caller for %s, and keeps the connection', async (_, path, options) => {
    const { http, connection } = await client();
    const error = await http.request('POST', path, options).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'DESCRIBE_INPUT_INVALID', retryable: false });
    expect(String(error)).not.toContain('hunter2');
    expect(connection.failed).toBe(false);
    expect((await http.get('still')).status).toBe(200);
  });

  it('sends every kind of bytes as they are', async () => {
    const { http, seen } = await client();
    const bytes = new TextEncoder().encode('bytes');
    await http.post('a', bytes.buffer);
    await http.post('b', new DataView(bytes.buffer, 1, 3));
    await http.post('c', new Uint16Array([0x6161]));
    expect(seen.map(({ body }) => body)).toEqual(['bytes', 'yte', 'aa']);
  });
});

describe('a fetch on a connection', () => {
  it('reads all of a Request', async () => {
    const seen: unknown[] = [];
    const { port, fetch } = await overHttp((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        seen.push({ method: request.method, team: request.headers['x-team'], body });
        response.end();
      });
    });
    const request = new Request(`http://127.0.0.1:${port}/v1`, {
      method: 'POST',
      headers: { 'x-team': 'vision' },
      body: 'hello',
    });
    await fetch(request);
    expect(seen).toEqual([{ method: 'POST', team: 'vision', body: 'hello' }]);
  });

  it('gives an answer that can be cloned, starts with a byte order mark or lacks a header', async () => {
    const { port, fetch } = await overHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('\ufeff{"a":1}');
    });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    const clone = response.clone();
    expect([await clone.json(), await response.json()]).toEqual([{ a: 1 }, { a: 1 }]);
    expect(() => response.clone()).toThrow(TypeError);
    expect([response.headers.get('constructor'), response.headers.has('toString')]).toEqual([null, false]);
  });
});

function cyclic(): unknown {
  const body: { self?: unknown } = {};
  body.self = body;
  return body;
}
