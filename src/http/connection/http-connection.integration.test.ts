import { getEventListeners } from 'node:events';
import { createServer as createNetServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cleanUp, listen, open, overHttp } from './http-connection.fixture.ts';

afterEach(cleanUp);

const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';

/** A server that says what to do with the nth request of each socket. */
async function overTcp(act: (socket: Socket, nthOnSocket: number, nthSocket: number) => void, options = {}) {
  let sockets = 0;
  const port = await listen(
    createNetServer((socket) => {
      sockets += 1;
      const nthSocket = sockets;
      let requests = 0;
      socket.on('data', () => {
        requests += 1;
        act(socket, requests, nthSocket);
      });
    }),
  );
  return open(`http://127.0.0.1:${port}`, options);
}

describe('a kept-alive socket that died', () => {
  it('is replaced and the request sent once more, when no byte of an answer had come', async () => {
    const { send, counters, connection } = await overTcp((socket, nth, nthSocket) => {
      if (nthSocket === 1 && nth === 2) socket.resetAndDestroy();
      else socket.write(OK);
    });
    await send();
    expect(await send()).toMatchObject({ status: 200 });
    expect(counters).toEqual({ opened: 2, requests: 2, resent: 1, failed: 0 });
    expect(connection.failed).toBe(false);
  });

  it('is reported when nothing was in flight on it, and only then', async () => {
    const lost = vi.fn();
    const { send, connection } = await overTcp(
      (socket, nth) => {
        if (nth === 1) socket.write(OK, () => setTimeout(() => socket.end(), 5));
      },
      { lost },
    );
    await send();
    await expect.poll(() => lost.mock.calls.length).toBe(1);
    await send();
    const second = send().catch(() => {});
    await second;
    expect(lost).toHaveBeenCalledTimes(1);
    await connection.destroy();
    expect(lost).toHaveBeenCalledTimes(1);
  });

  it('is not worth a second retry', async () => {
    const { send, counters } = await overTcp((socket, nth, nthSocket) => {
      if (nthSocket === 1 && nth === 1) socket.write(OK);
      else socket.resetAndDestroy();
    });
    await send();
    await expect(send()).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/) });
    expect(counters).toMatchObject({ resent: 1, failed: 1 });
  });

  it('is an error when a part of the answer had come', async () => {
    const { send, counters } = await overTcp((socket, nth) => {
      if (nth === 1) socket.write(OK);
      else socket.write('HTTP/1.1 200', () => socket.resetAndDestroy());
    });
    await send();
    await expect(send()).rejects.toBeDefined();
    expect(counters.resent).toBe(0);
  });

  it('is an error on its first request: that one may have been worked on', async () => {
    const { send, counters, connection } = await overTcp((socket) => socket.resetAndDestroy());
    await expect(send()).rejects.toBeDefined();
    expect(counters.resent).toBe(0);
    expect(connection.failed).toBe(true);
  });

  it('is an error when it died late: the request may have been worked on', async () => {
    let now = 0;
    const { send, counters } = await overTcp(
      (socket, nth) => {
        if (nth === 1) {
          socket.write(OK);
          return;
        }
        now += 5_000;
        socket.resetAndDestroy();
      },
      { clock: { now: () => now, setTimeout, clearTimeout } },
    );
    await send();
    await expect(send()).rejects.toBeDefined();
    expect(counters.resent).toBe(0);
  });
});

describe('a request', () => {
  it('leaves no listener on its signal, however it ends', async () => {
    const { fetch, port } = await overHttp((request, response) => {
      if (request.url === '/hang') return;
      if (request.url === '/stream') {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end('data: 1\n\n');
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{}');
    });
    const { signal } = new AbortController();
    for (const path of ['/json', '/stream']) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal });
      await response.text();
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    const controller = new AbortController();
    const reason = new Error('enough');
    const hung = fetch(`http://127.0.0.1:${port}/hang`, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 10);
    await expect(hung).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    await expect(fetch(`http://127.0.0.1:${port}/json`, { signal: controller.signal })).rejects.toBe(reason);
  });

  it('is given up while its connection is being opened', async () => {
    // It takes the socket and never answers the TLS handshake.
    const port = await listen(createNetServer(() => {}));
    const { send } = await open(`https://127.0.0.1:${port}`);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 10);
    await expect(send({ signal: controller.signal })).rejects.toThrow('enough');
  });

  it('is refused above maxResponseBytes, streamed or not', async () => {
    const { fetch, port } = await overHttp(
      (request, response) => {
        response.writeHead(200, {
          'content-type': request.url === '/json' ? 'application/json' : 'text/plain',
        });
        response.end(JSON.stringify('x'.repeat(200_000)));
      },
      { maxResponseBytes: 100_000 },
    );
    const expected = { code: 'DESCRIBE_RESPONSE_INVALID' };
    await expect(fetch(`http://127.0.0.1:${port}/json`)).rejects.toMatchObject(expected);
    const streamed = await fetch(`http://127.0.0.1:${port}/text`);
    await expect(streamed.text()).rejects.toMatchObject(expected);
  });

  it('never leaves its origin', async () => {
    const { fetch, port } = await overHttp((_request, response) => response.end());
    for (const url of [
      'http://elsewhere.example/',
      `http://127.0.0.1:${port}0/`,
      `http://127.0.0.1:${port}@evil.example/`,
    ]) {
      await expect(fetch(url)).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
    }
  });

  it('keeps the headers of the connection to itself', async () => {
    const seen: Record<string, unknown>[] = [];
    const { fetch, port } = await overHttp((request, response) => {
      seen.push(request.headers);
      response.end();
    });
    const headers = {
      'accept-encoding': 'gzip',
      'Keep-Alive': 'timeout=1',
      expect: '100-continue',
      'x-own': 'yes',
    };
    await fetch(`http://127.0.0.1:${port}/`, { headers });
    expect(seen[0]).toEqual({
      host: `127.0.0.1:${port}`,
      connection: 'keep-alive',
      'accept-encoding': 'identity',
      'x-own': 'yes',
    });
  });

  it('is not the fault of the connection when it can not be sent', async () => {
    const { send, connection } = await overHttp((_request, response) => response.end());
    await expect(send({ headers: ['x-bad', 'line\nbreak'] })).rejects.toMatchObject({
      code: 'UND_ERR_INVALID_ARG',
    });
    expect(connection.failed).toBe(false);
    expect(connection.inFlight).toBe(0);
    await send();
  });

  it('does not follow a redirect', async () => {
    const { fetch, port } = await overHttp((_request, response) => {
      response.writeHead(302, { location: 'http://elsewhere.example/' });
      response.end();
    });
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(302);
  });

  it('sends every kind of body that fetch takes', async () => {
    const { fetch, port } = await overHttp((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ type: request.headers['content-type'], body: Buffer.concat(chunks).toString() }));
      });
    });
    const send = async (body: NonNullable<RequestInit['body']>) => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
      return (await response.json()) as { type: string; body: string };
    };
    expect(await send('text')).toMatchObject({ body: 'text', type: 'text/plain;charset=UTF-8' });
    expect(await send(new Uint8Array([97, 98]))).toEqual({ body: 'ab' });
    expect(await send(new Blob(['blob'], { type: 'image/png' }))).toEqual({
      body: 'blob',
      type: 'image/png',
    });
    expect(await send(new URLSearchParams({ a: '1' }))).toMatchObject({ body: 'a=1' });
    const form = new FormData();
    form.append('file', new Blob(['bytes']), 'a.png');
    const sent = await send(form);
    expect(sent.type).toMatch(/^multipart\/form-data; boundary=/);
    expect(sent.body).toContain('filename="a.png"');
  });
});
