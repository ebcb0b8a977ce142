import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { AddressGuard } from './address-guard.ts';
import { createPinnedFetch, type ResolveHost } from './pinned-fetch.ts';

const HOST = '127.0.0.1';
const sockets = new Set<Socket>();
let server: Server;
let port = 0;
let outsideConnections = 0;
let answerOutside: RequestListener;

beforeAll(async () => {
  server = createServer((request, response) => answerOutside(request, response));
  server.on('connection', (socket) => {
    outsideConnections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});
beforeEach(() => {
  outsideConnections = 0;
  answerOutside = (_request, response) => response.end('image');
});

const resolveHost: ResolveHost = async (host) =>
  host === 'outside.example' ? [HOST] : Promise.reject(new Error(`no such host ${host}`));
const guard = new AddressGuard({ allowHosts: [HOST] });
const guarded = createPinnedFetch({ guard, resolveHost });

const outcome = (work: Promise<{ byteLength: number } | undefined>) =>
  work.then(
    (answer) => (answer === undefined ? 'not modified' : `${answer.byteLength} bytes`),
    (error: unknown) => (error as { code: string }).code,
  );

describe('createPinnedFetch', () => {
  const small = createPinnedFetch({ guard, resolveHost, maxBytes: 1_000 });

  it('gets what a public host serves, on a fresh connection that is closed afterwards', async () => {
    const answer = await guarded(`http://outside.example:${port}/cat.jpg`);
    expect(Buffer.concat([...(answer?.chunks ?? [])]).toString()).toBe('image');
    expect(outsideConnections).toBe(1);
    await expect.poll(() => sockets.size).toBe(0);
  });

  it('tries the next address of a host where one does not answer', async () => {
    const fetch = createPinnedFetch({
      guard: new AddressGuard({ allowHosts: ['127.0.0.0/8'] }),
      resolveHost: async () => ['127.0.0.9', HOST],
    });
    expect(await outcome(fetch(`http://two.example:${port}/`))).toBe('5 bytes');
  });

  it('refuses redirects to other schemes, to nothing, and without end', async () => {
    const url = `http://outside.example:${port}/`;
    answerOutside = (_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    const refused = await guarded(url).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'DESCRIBE_IMAGE_FORBIDDEN' });
    expect(String(refused)).not.toMatch(/file|passwd/);
    answerOutside = (_request, response) => response.writeHead(302, { location: 'http://' }).end();
    expect(await outcome(guarded(url))).toBe('DESCRIBE_IMAGE_FETCH_FAILED');
    outsideConnections = 0;
    answerOutside = (_request, response) => response.writeHead(302, { location: '/again' }).end();
    await expect(guarded(url)).rejects.toThrow('maxRedirects (3)');
    expect(outsideConnections).toBe(4);
  });

  it('stops at the size limit, announced or not', async () => {
    const url = `http://outside.example:${port}/`;
    answerOutside = (_request, response) => response.writeHead(200, { 'content-length': 1_001 }).flushHeaders();
    expect(await outcome(small(url))).toBe('DESCRIBE_IMAGE_TOO_LARGE');
    let sent = 0;
    answerOutside = (_request, response) => {
      const send = () => {
        sent += 1;
        if (!response.destroyed && sent < 10_000) response.write(Buffer.alloc(500), send);
      };
      send();
    };
    expect(await outcome(small(url))).toBe('DESCRIBE_IMAGE_TOO_LARGE');
    expect(sent).toBeLessThan(10_000);
    answerOutside = (_request, response) => response.end(Buffer.alloc(1_000));
    expect(await outcome(small(url))).toBe('1000 bytes');
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(900))],
    ['br', brotliCompressSync(Buffer.alloc(900))],
    ['deflate', deflateSync(Buffer.alloc(900))],
    ['aws-chunked', Buffer.alloc(900)],
  ])('decompresses what was compressed although it asked for identity: %s', async (encoding, body) => {
    answerOutside = (request, response) => {
      expect(request.headers['accept-encoding']).toBe('identity');
      response.writeHead(200, { 'content-encoding': encoding }).end(body);
    };
    expect(await outcome(small(`http://outside.example:${port}/`))).toBe('900 bytes');
  });

  it('lets no compressed answer grow beyond the limit, nor come beyond it', async () => {
    const url = `http://outside.example:${port}/`;
    const endless = Buffer.concat([gzipSync('').subarray(0, 3), Buffer.from([8]), Buffer.alloc(50_000, 1)]);
    for (const body of [gzipSync(Buffer.alloc(50_000_000)), endless]) {
      answerOutside = (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        for (let start = 0; start < body.length; start += 100) response.write(body.subarray(start, start + 100));
        response.end();
      };
      expect(await outcome(small(url))).toBe('DESCRIBE_IMAGE_TOO_LARGE');
    }
  });

  it('fails once and for all where the coding is none', async () => {
    answerOutside = (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'br' }).end(Buffer.alloc(500, 255));
    };
    await expect(guarded(`http://outside.example:${port}/`)).rejects.toMatchObject({
      code: 'DESCRIBE_IMAGE_FETCH_FAILED',
      retryable: false,
    });
  });

  it('asks with the ETag and tells that nothing changed', async () => {
    answerOutside = (request, response) => {
      response.writeHead(request.headers['if-none-match'] === '"v1"' ? 304 : 200, { etag: '"v1"' }).end();
    };
    const url = `http://outside.example:${port}/`;
    expect(await guarded(url)).toMatchObject({ etag: '"v1"', byteLength: 0 });
    expect(await guarded(url, { etag: '"v1"' })).toBeUndefined();
    expect(await guarded(url, { etag: '"v0"' })).toMatchObject({ etag: '"v1"' });
  });

  it('gives no ETag but one that names these very bytes', async () => {
    const url = `http://outside.example:${port}/`;
    for (const etag of ['W/"v1"', '*', '"a", "b"', 'v1', '', '"\xe9"', '"a b"', `"${'x'.repeat(600)}"`, '"', '""x"']) {
      answerOutside = (_request, response) => response.writeHead(200, { etag }).end('image');
      expect(await guarded(url), etag).not.toHaveProperty('etag');
    }
    for (const etag of ['""', '"v1"', '"!#$%&\'(),/:;<=>?@[]^_`{|}~"']) {
      answerOutside = (_request, response) => response.writeHead(200, { etag }).end('image');
      expect(await guarded(url), etag).toMatchObject({ etag });
    }
  });

  it('sends an ETag to the address it came from only, behind redirects too', async () => {
    let target = '/v0';
    const asked: string[] = [];
    answerOutside = (request, response) => {
      asked.push(`${request.url} ${request.headers['if-none-match'] ?? '-'}`);
      if (request.url === '/redirect') response.writeHead(302, { location: `${target}?Expires=1&sig=2` }).end();
      else response.writeHead(request.headers['if-none-match'] === '"1"' ? 304 : 200, { etag: '"1"' }).end();
    };
    const base = `http://outside.example:${port}`;
    const first = await guarded(`${base}/redirect`);
    const known = { etag: first?.etag, etagUrl: first?.etagUrl };
    expect(await guarded(`${base}/redirect`, known)).toBeUndefined();
    target = '/v1';
    expect(await guarded(`${base}/redirect`, known)).toMatchObject({ etag: '"1"' });
    expect(asked.filter((line) => line.startsWith('/v')).map((line) => line.replace(/\?\S+/, ''))).toEqual([
      '/v0 -',
      '/v0 "1"',
      '/v1 -',
    ]);
    expect(asked.filter((line) => line.startsWith('/redirect'))).toEqual(Array(3).fill('/redirect -'));
  });

  it('takes a resolver that throws for one that finds nothing', async () => {
    const fetch = createPinnedFetch({
      guard,
      resolveHost: () => {
        throw new Error('no resolver');
      },
    });
    expect(await outcome(fetch('http://outside.example/'))).toBe('DESCRIBE_IMAGE_FETCH_FAILED');
  });

  it('says whether another try may help', async () => {
    const url = `http://outside.example:${port}/`;
    for (const [status, retryable] of [
      [404, false],
      [500, true],
      [429, true],
      [403, false],
    ] as const) {
      answerOutside = (_request, response) => response.writeHead(status).end('private words of the host');
      const error = await guarded(url).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'DESCRIBE_IMAGE_FETCH_FAILED', retryable });
      expect(String(error)).not.toContain('private words');
    }
    expect(await outcome(guarded('http://nowhere.example/'))).toBe('DESCRIBE_IMAGE_FETCH_FAILED');
  });

  describe('with a host that stalls', () => {
    afterEach(() => expect.poll(() => sockets.size).toBe(0));

    for (const [where, answer] of [
      ['before its headers', () => {}],
      ['inside its body', (_request, response) => response.writeHead(200, { 'content-length': 10 }).write('part')],
    ] as readonly (readonly [string, RequestListener])[]) {
      it(`gives up ${where} after fetchTimeoutMs`, async () => {
        const clock = new ManualClock();
        const arrived = new Promise<void>((resolve) => {
          answerOutside = (request, response) => {
            answer(request, response);
            resolve();
          };
        });
        const fetch = createPinnedFetch({ guard, resolveHost, clock, fetchTimeoutMs: 2_000 });
        const result = outcome(fetch(`http://outside.example:${port}/`));
        await arrived;
        await clock.advance(2_000);
        expect(await result).toBe('DESCRIBE_TIMEOUT');
        expect(clock.pendingTimers).toBe(0);
      });

      it(`leaves ${where} when the caller does`, async () => {
        const controller = new AbortController();
        const reason = new Error('caller left');
        answerOutside = (request, response) => {
          answer(request, response);
          setImmediate(() => controller.abort(reason));
        };
        const work = guarded(`http://outside.example:${port}/`, { signal: controller.signal });
        await expect(work).rejects.toBe(reason);
      });
    }

    it('leaves a look-up that never ends', async () => {
      const controller = new AbortController();
      const fetch = createPinnedFetch({ guard, resolveHost: () => new Promise(() => {}) });
      const work = fetch('http://slow.example/', { signal: controller.signal });
      controller.abort(new Error('caller left'));
      await expect(work).rejects.toThrow('caller left');
    });
  });
});
