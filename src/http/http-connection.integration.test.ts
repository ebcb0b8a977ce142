import { getEventListeners } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import {
  type AddressInfo,
  connect,
  createServer as createNetServer,
  type Server,
  type Socket,
} from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TEST_CERTIFICATE } from './certificate.fixture.ts';
import { connectionFetch } from './connection-fetch.ts';
import { ConnectionCounters, HttpConnection, type HttpConnectionOptions } from './http-connection.ts';
import type { HttpRequest } from './http-message.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function open(origin: string, options: Partial<HttpConnectionOptions> = {}) {
  const counters = new ConnectionCounters();
  const connection = await HttpConnection.create({ origin, counters, ...options });
  cleanups.push(() => connection.destroy());
  const send = (request: Partial<HttpRequest> = {}) =>
    connection.send(
      { method: 'POST', path: '/', headers: [], body: Buffer.from('{}'), ...request },
      () => false,
    );
  return { connection, counters, send, fetch: connectionFetch(connection) };
}

async function overHttp(listener: RequestListener, options?: Partial<HttpConnectionOptions>) {
  const port = await listen(createHttpServer(listener));
  return { port, ...(await open(`http://127.0.0.1:${port}`, options)) };
}

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
    expect(seen[0]).toEqual({ host: `127.0.0.1:${port}`, connection: 'keep-alive', 'x-own': 'yes' });
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
        response.end(
          JSON.stringify({ type: request.headers['content-type'], body: Buffer.concat(chunks).toString() }),
        );
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

describe('a streamed answer', () => {
  it('ends with an error when it stands still for streamIdleTimeoutMs', async () => {
    const { fetch, port, connection } = await overHttp(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: 1\n\n');
      },
      { streamIdleTimeoutMs: 50 },
    );
    const response = await fetch(`http://127.0.0.1:${port}/`);
    await expect(response.text()).rejects.toMatchObject({ code: 'DESCRIBE_TIMEOUT', timeoutMs: 50 });
    expect(connection.inFlight).toBe(0);
  });

  it('goes on as long as something moves', async () => {
    const { fetch, port } = await overHttp(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        let left = 8;
        const timer = setInterval(() => {
          left -= 1;
          if (left > 0) response.write(`data: ${left}\n\n`);
          else {
            clearInterval(timer);
            response.end();
          }
        }, 25);
      },
      { streamIdleTimeoutMs: 150 },
    );
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(text.match(/data/g)).toHaveLength(7);
  });

  it('frees its connection when its reader goes away, or never comes', async () => {
    const { fetch, port, connection } = await overHttp(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: 1\n\n');
      },
      { streamIdleTimeoutMs: 60 },
    );
    const cancelled = await fetch(`http://127.0.0.1:${port}/`);
    await cancelled.body?.cancel();
    expect(connection.inFlight).toBe(0);
    await fetch(`http://127.0.0.1:${port}/`);
    expect(connection.inFlight).toBe(1);
    await connection.whenQuiet();
    expect(connection.inFlight).toBe(0);
  });

  it('is read at the pace of its reader', async () => {
    let written = 0;
    const { fetch, port } = await overHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      const more = () => {
        while (written < 64 * 1024 * 1024) {
          written += 1024 * 1024;
          if (!response.write(Buffer.alloc(1024 * 1024))) {
            response.once('drain', more);
            return;
          }
        }
      };
      more();
    });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    // Until nothing more is taken off the server's hands.
    for (let before = -1; before !== written; ) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(written).toBeLessThan(32 * 1024 * 1024);
    await response.body?.cancel();
  });

  it('arrives whole, however slowly it is read', async () => {
    const { fetch, port } = await overHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.end(Buffer.alloc(3_000_000, 'abc'));
    });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let bytes = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes += part.value.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bytes).toBe(3_000_000);
  });
});

describe('a proxy', () => {
  async function startProxy() {
    const tunnels: string[] = [];
    const forwarded: string[] = [];
    const authorizations: (string | undefined)[] = [];
    const server = createHttpServer((request, response) => {
      forwarded.push(request.url ?? '');
      authorizations.push(request.headers['proxy-authorization']);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"from":"proxy"}');
    });
    server.on('connect', (request, socket: Socket) => {
      tunnels.push(request.url ?? '');
      authorizations.push(request.headers['proxy-authorization']);
      const [host = '', port] = (request.url ?? '').split(':');
      const target = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        target.pipe(socket);
        socket.pipe(target);
      });
      target.on('error', () => socket.destroy());
      socket.on('error', () => target.destroy());
    });
    const port = await listen(server);
    return { url: `http://user:pass@127.0.0.1:${port}`, tunnels, forwarded, authorizations };
  }

  it('carries TLS through a tunnel, on one connection, with its credentials', async () => {
    const { cert, key } = TEST_CERTIFICATE;
    const port = await listen(
      createHttpsServer({ cert, key }, (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('{"from":"target"}');
      }),
    );
    const proxy = await startProxy();
    const { fetch } = await open(`https://127.0.0.1:${port}`, { proxy: proxy.url, tls: { ca: cert } });
    for (let call = 0; call < 3; call += 1) {
      const response = await fetch(`https://127.0.0.1:${port}/v1`);
      expect(await response.json()).toEqual({ from: 'target' });
    }
    expect(proxy.tunnels).toEqual([`127.0.0.1:${port}`]);
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from('user:pass').toString('base64')}`]);
  });

  it('forwards plain HTTP', async () => {
    const proxy = await startProxy();
    const { fetch } = await open('http://api.example', { proxy: proxy.url });
    const response = await fetch('http://api.example/v1/models');
    expect(await response.json()).toEqual({ from: 'proxy' });
    expect(proxy.forwarded).toEqual(['http://api.example/v1/models']);
  });
});

describe('TLS', () => {
  it('trusts a custom authority, and no unknown one', async () => {
    const { cert, key } = TEST_CERTIFICATE;
    const port = await listen(createHttpsServer({ cert, key }, (_request, response) => response.end('ok')));
    const origin = `https://127.0.0.1:${port}`;
    const trusting = await open(origin, { tls: { ca: [cert] } });
    expect(await (await trusting.fetch(`${origin}/`)).text()).toBe('ok');
    const wary = await open(origin);
    await expect(wary.fetch(`${origin}/`)).rejects.toMatchObject({
      code: expect.stringMatching(/SELF_SIGNED|UNABLE/),
    });
    expect(wary.connection.failed).toBe(true);
  });

  it('shows its client certificate', async () => {
    const { cert, key } = TEST_CERTIFICATE;
    const port = await listen(
      createHttpsServer({ cert, key, requestCert: true, ca: cert }, (request, response) => {
        response.end((request.socket as never as { authorized: boolean }).authorized ? 'known' : 'stranger');
      }),
    );
    const origin = `https://127.0.0.1:${port}`;
    const { fetch } = await open(origin, { tls: { ca: cert, cert, key } });
    expect(await (await fetch(`${origin}/`)).text()).toBe('known');
  });
});
