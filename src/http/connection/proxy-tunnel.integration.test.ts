import { createServer as createHttpServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer as createNetServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TEST_CERTIFICATE } from '../certificate.fixture.ts';
import { HttpClient } from '../http-client.ts';
import { cleanUp, listen, open } from './http-connection.fixture.ts';

afterEach(cleanUp);

const { cert, key } = TEST_CERTIFICATE;

/** A TLS server to tunnel to, and a plain one to forward to. */
async function startTargets() {
  const answer = (request: IncomingMessage) => JSON.stringify({ url: request.url, headers: request.headers });
  const secure = await listen(createHttpsServer({ cert, key }, (request, response) => response.end(answer(request))));
  const plain = await listen(createHttpServer((request, response) => response.end(answer(request))));
  return { secure: `https://127.0.0.1:${secure}`, plain: `http://127.0.0.1:${plain}` };
}

/** A proxy that answers CONNECT with a status line, and forwards. */
async function startProxy({ line = '200 OK', isSecure = false } = {}) {
  const seen: { readonly line: string; readonly authorization: string | undefined }[] = [];
  let sockets = 0;
  const forward = (request: IncomingMessage, response: import('node:http').ServerResponse) => {
    seen.push({
      line: `${request.method} ${request.url}`,
      authorization: request.headers['proxy-authorization'],
    });
    const { pathname, port } = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    httpRequest({ port, path: pathname, headers }, (answer) => answer.pipe(response)).end();
  };
  const server = isSecure ? createHttpsServer({ cert, key }, forward) : createHttpServer(forward);
  server.on(isSecure ? 'secureConnection' : 'connection', () => {
    sockets += 1;
  });
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    seen.push({ line: `CONNECT ${request.url}`, authorization: request.headers['proxy-authorization'] });
    socket.on('error', () => {});
    if (!line.startsWith('2')) {
      socket.end(`HTTP/1.1 ${line}\r\ncontent-length: 2\r\n\r\nno`);
      return;
    }
    const target = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write(`HTTP/1.1 ${line}\r\n\r\n`);
      target.pipe(socket).pipe(target);
    });
    target.on('error', () => socket.destroy());
  });
  const port = await listen(server);
  return { seen, sockets: () => sockets, url: `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`, port };
}

const bodyOf = async (response: Response) =>
  (await response.json()) as { readonly url: string; readonly headers: Record<string, string> };

describe('a refused tunnel', () => {
  it.each([
    ['407 Proxy Authentication Required', 407, false],
    ['403 Forbidden', 403, false],
    ['502 Bad Gateway', 502, true],
    ['301 Moved', 301, false],
  ])('names the status of the proxy and is neither a timeout nor an abort: %s', async (line, status, retryable) => {
    const proxy = await startProxy({ line });
    const { connection, fetch, counters } = await open('https://api.example', { proxy: proxy.url });
    const error = await fetch('https://api.example/v1').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'UpstreamError', code: 'DESCRIBE_UPSTREAM', retryable });
    expect(String(error)).toContain(`the proxy refused the tunnel with status ${status}`);
    expect(connection.failed).toBe(true);
    expect(connection.inFlight).toBe(0);
    expect(counters).toMatchObject({ opened: 0, failed: 1 });
  });

  it('is asked for anew by the next request', async () => {
    const proxy = await startProxy({ line: '503 Busy' });
    const { fetch } = await open('https://api.example', { proxy: proxy.url });
    for (let call = 0; call < 2; call += 1) await expect(fetch('https://api.example/')).rejects.toThrow('503');
    expect(proxy.seen).toHaveLength(2);
  });
});

describe('a proxy', () => {
  it.each([{ isSecure: false }, { isSecure: true }])('forwards plain HTTP on one connection: %o', async (how) => {
    const { plain } = await startTargets();
    const proxy = await startProxy(how);
    const { fetch } = await open(plain, {
      proxy: proxy.url.replace('//', '//us%40er:p%3A100%@'),
      tls: { ca: cert },
    });
    for (let call = 0; call < 3; call += 1) {
      const { url, headers } = await bodyOf(await fetch(`${plain}/v1/${call}?a=1`));
      expect(url).toBe(`/v1/${call}`);
      expect(headers['host']).toBe(new URL(plain).host);
      expect(headers).not.toHaveProperty('proxy-authorization');
    }
    expect(proxy.seen[0]).toEqual({
      line: `GET ${plain}/v1/0?a=1`,
      authorization: `Basic ${Buffer.from('us@er:p%3A100%').toString('base64')}`,
    });
    expect(proxy.sockets()).toBe(1);
  });

  it.each([{ isSecure: false }, { isSecure: true }, { isSecure: false, line: '204 Any success will do' }])(
    'tunnels TLS on one connection: %o',
    async (how) => {
      const { secure } = await startTargets();
      const proxy = await startProxy(how);
      const { fetch } = await open(secure, { proxy: proxy.url, tls: { ca: cert } });
      for (let call = 0; call < 3; call += 1) {
        expect((await bodyOf(await fetch(`${secure}/v1`))).url).toBe('/v1');
      }
      expect(proxy.seen).toEqual([{ line: `CONNECT ${secure.slice(8)}`, authorization: undefined }]);
    },
  );

  it("takes a Host header of the user's own", async () => {
    const { plain } = await startTargets();
    const proxy = await startProxy();
    const { connection } = await open(plain, { proxy: proxy.url });
    const http = new HttpClient(connection, { baseURL: plain, headers: {}, timeoutMs: 1_000 });
    const { data } = await http.get<Uint8Array>('x', { headers: { Host: 'other.example' } });
    expect(JSON.parse(Buffer.from(data).toString())).toMatchObject({ headers: { host: 'other.example' } });
  });

  it('that refuses plain HTTP answers as itself', async () => {
    const port = await listen(createHttpServer((_, response) => response.writeHead(407).end('who are you?')));
    const { fetch } = await open('http://api.example', { proxy: `http://127.0.0.1:${port}` });
    expect((await fetch('http://api.example/')).status).toBe(407);
  });

  it('that says nothing is given up after connectTimeoutMs, and its socket with it', async () => {
    const closed: Promise<unknown>[] = [];
    const port = await listen(
      createNetServer((socket) => {
        closed.push(new Promise((resolve) => socket.resume().on('close', resolve)));
      }),
    );
    const options = { proxy: `http://127.0.0.1:${port}`, connectTimeoutMs: 40 };
    const { fetch } = await open('https://api.example', options);
    await expect(fetch('https://api.example/')).rejects.toMatchObject({ code: 'UND_ERR_CONNECT_TIMEOUT' });
    expect(closed).toHaveLength(1);
    await closed[0];
  });

  it('is let go when the connection ends while it connects', async () => {
    const closed: Promise<unknown>[] = [];
    const port = await listen(
      createNetServer((socket) => {
        closed.push(new Promise((resolve) => socket.resume().on('close', resolve)));
      }),
    );
    const { fetch, connection } = await open('https://api.example', { proxy: `http://127.0.0.1:${port}` });
    const failure = fetch('https://api.example/').catch((error: unknown) => error);
    await expect.poll(() => closed.length).toBe(1);
    await connection.destroy();
    expect(await failure).toMatchObject({ code: 'DESCRIBE_CLOSED' });
    await closed[0];
  });

  it.each(['http', 'https'])('that is away is an error of the connection: %s', async (scheme) => {
    const { fetch } = await open(`${scheme}://api.example`, { proxy: 'http://127.0.0.1:1' });
    await expect(fetch(`${scheme}://api.example/`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
