import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cleanUp, listen, open, overHttp } from '../connection/http-connection.fixture.ts';

afterEach(() => {
  vi.restoreAllMocks();
  return cleanUp();
});

/** A server that answers with what it got. */
const echo = () =>
  overHttp(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { 'content-type': type, 'content-length': length, 'transfer-encoding': transfer } = request.headers;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ type, length, transfer, body: Buffer.concat(chunks).toString() }));
  });

async function post(body: unknown) {
  const { fetch, port } = await echo();
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body } as RequestInit);
  return (await response.json()) as Record<'type' | 'length' | 'transfer' | 'body', string | undefined>;
}

async function* pieces() {
  yield 'some ';
  yield new Uint8Array();
  yield new Uint16Array([0x6170, 0x7472]);
}

describe('a body', () => {
  it.each([
    ['a string', () => 'é', { type: 'text/plain;charset=UTF-8', length: '2', body: 'é' }],
    ['bytes', () => new Uint8Array([97, 98]).subarray(1), { length: '1', body: 'b' }],
    ['a buffer', () => new Uint8Array([97]).buffer, { length: '1', body: 'a' }],
    [
      'parameters',
      () => new URLSearchParams({ a: 'é b' }),
      { type: 'application/x-www-form-urlencoded;charset=UTF-8', length: '10', body: 'a=%C3%A9+b' },
    ],
    ['a blob', () => new Blob(['ab'], { type: 'text/x' }), { type: 'text/x', length: '2', body: 'ab' }],
    ['a blob without a type', () => new Blob(['ab']), { length: '2', body: 'ab' }],
    ['a web stream', () => new Blob(['ab']).stream(), { transfer: 'chunked', body: 'ab' }],
    ['a Node stream', () => Readable.from(['a', 'b']), { transfer: 'chunked', body: 'ab' }],
    ['an async iterable', pieces, { transfer: 'chunked', body: 'some part' }],
  ])('is sent as it is: %s', async (_name, make, expected) => {
    expect(await post(make())).toEqual(expected);
  });

  it('that is a form is sent as fetch sends it, with its length', async () => {
    const form = new FormData();
    form.append('quoted " and\nlines', 'one\ntwo\r\nthree\rfour');
    form.append('twice', '1');
    form.append('twice', '2');
    form.append('file', new File(['bytes'], '文 "件".txt', { type: 'text/x' }));
    form.append('untyped', new Blob(['x']), 'y');
    const { type = '', body = '', length, transfer } = await post(form);
    const web = new Response(form);
    const boundaryOf = (text: string) => /boundary=(.*)/.exec(text)?.[1] ?? '';
    const webBoundary = boundaryOf(web.headers.get('content-type') ?? '');
    expect(body.replaceAll(boundaryOf(type), webBoundary)).toBe(await web.text());
    expect(length).toBe(String(Buffer.byteLength(body)));
    expect(transfer).toBeUndefined();
  });

  it('that fails ends its request with the reason', async () => {
    const { fetch, port, connection } = await echo();
    const body = new ReadableStream({
      pull: () => {
        throw new Error('the disk is away');
      },
    });
    const url = `http://127.0.0.1:${port}/`;
    await expect(fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit)).rejects.toThrow(
      'the disk is away',
    );
    expect(connection.inFlight).toBe(0);
    expect(await (await fetch(url, { method: 'POST', body: 'next' })).json()).toMatchObject({ body: 'next' });
  });

  it('that gives something else than bytes fails its request', async () => {
    await expect(post(Readable.from([{ a: 1 }]))).rejects.toThrow('must give bytes or text; got object');
  });

  it.each([
    ['while it waits for its source', (abort: () => void) => setTimeout(abort, 20)],
    ['before it was opened', (abort: () => void) => abort()],
  ])('is cancelled with its request, %s', async (_when, abortSoon) => {
    const { fetch, port } = await echo();
    const controller = new AbortController();
    const cancelled = new Promise((resolve) => {
      const body = new ReadableStream({ cancel: resolve });
      abortSoon(() => controller.abort());
      const init = { method: 'POST', body, duplex: 'half', signal: controller.signal } as RequestInit;
      fetch(`http://127.0.0.1:${port}/`, init).catch(() => {});
    });
    expect(await cancelled).toBeInstanceOf(Error);
  });
});

describe('a large file', () => {
  it('is never held whole: what is read waits for what is sent', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'describe-it-body-'));
    const path = join(folder, 'large.bin');
    await writeFile(path, Buffer.alloc(60_000_000, 'a'));
    let read = 0;
    let received = 0;
    let ahead = 0;
    const { fetch, port } = await overHttp(async (request, response) => {
      for await (const chunk of request) {
        received += chunk.length;
        ahead = Math.max(ahead, read - received);
      }
      response.end();
    });
    const form = new FormData();
    form.append('file', new File([await openAsBlob(path)], 'large.bin'));
    const { stream } = Blob.prototype;
    vi.spyOn(Blob.prototype, 'stream').mockImplementation(function (this: Blob) {
      const counting = new TransformStream({
        transform: (chunk: Uint8Array, sink) => {
          read += chunk.length;
          sink.enqueue(chunk);
        },
      });
      return stream.call(this).pipeThrough(counting);
    });
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: form });
    expect(response.status).toBe(200);
    expect(received).toBeGreaterThan(60_000_000);
    expect(ahead).toBeLessThan(10_000_000);
    await rm(folder, { recursive: true });
  });

  it('is sent again from its start where the kept-alive socket had died, a stream is not', async () => {
    const bodies: string[] = [];
    let sockets = 0;
    const port = await listen(
      createNetServer((socket) => {
        sockets += 1;
        const isFirst = sockets % 2 === 1;
        let requests = 0;
        socket.on('data', (data) => {
          requests += 1;
          if (isFirst && requests > 1) {
            socket.resetAndDestroy();
            return;
          }
          bodies.push(data.toString().split('\r\n\r\n')[1] ?? '');
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
        });
      }),
    );
    const { fetch, counters } = await open(`http://127.0.0.1:${port}`);
    const url = `http://127.0.0.1:${port}/`;
    await fetch(url);
    expect((await fetch(url, { method: 'POST', body: new Blob(['blob']) })).status).toBe(200);
    expect(counters.resent).toBe(1);
  });
});
