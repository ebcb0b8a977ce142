import { brotliCompressSync, constants, createGzip, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, overHttp } from '../connection/http-connection.fixture.ts';
import type { HttpConnectionOptions } from '../connection/http-connection.ts';

afterEach(cleanUp);

const TEXT = JSON.stringify({ description: 'a cat 🐈 '.repeat(200) });

/** A server whose every answer has this body and this `content-encoding`, in pieces of so many bytes. */
function answering(
  body: Buffer,
  encoding: string,
  { pieceBytes = 50, ...options }: Partial<HttpConnectionOptions> & { readonly pieceBytes?: number } = {},
) {
  return overHttp((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.setHeader('content-encoding', encoding);
    for (let start = 0; start < body.length; start += pieceBytes) {
      response.write(body.subarray(start, start + pieceBytes));
    }
    response.end();
  }, options);
}

const bodyText = (answer: unknown) => (answer as { readonly body: Buffer }).body.toString();

describe('an answer that is compressed although identity was asked for', () => {
  it.each([
    ['gzip', gzipSync(TEXT)],
    ['GZIP', gzipSync(TEXT)],
    ['x-gzip', gzipSync(TEXT)],
    ['br', brotliCompressSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
    ['deflate', deflateRawSync(TEXT)],
    ['aws-chunked, gzip', gzipSync(TEXT)],
    ['gzip, br', brotliCompressSync(gzipSync(TEXT))],
    ['identity, gzip,identity', gzipSync(TEXT)],
  ])('is decoded: %s', async (encoding, body) => {
    const { send, connection } = await answering(body, encoding);
    expect(bodyText(await send())).toBe(TEXT);
    expect(bodyText(await send())).toBe(TEXT);
    expect(connection.inFlight).toBe(0);
  });

  it.each(['aws-chunked', 'utf-8', 'binary', 'identity', '', 'none', 'constructor'])(
    'is taken as it is where the header names no compression: %s',
    async (encoding) => {
      const { send } = await answering(Buffer.from(TEXT), encoding);
      expect(bodyText(await send())).toBe(TEXT);
    },
  );

  it('is taken as it is where a gateway decompressed it and left the header', async () => {
    const { send } = await answering(Buffer.from(TEXT), 'gzip');
    expect(bodyText(await send())).toBe(TEXT);
  });

  it('needs no body: HEAD, 204 and 304 have none', async () => {
    const { send } = await overHttp((request, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.statusCode = Number(request.url?.slice(1));
      response.end();
    });
    for (const [method, path] of [
      ['HEAD', '/200'],
      ['GET', '/204'],
      ['GET', '/304'],
      ['GET', '/200'],
    ] as const) {
      expect(bodyText(await send({ method, path, body: undefined }))).toBe('');
    }
  });

  it('gives what a cut-off coding holds, as fetch does', async () => {
    const { send } = await answering(gzipSync(TEXT).subarray(0, -9), 'gzip');
    expect(TEXT.startsWith(bodyText(await send()))).toBe(true);
  });

  it('is an error where the bytes are something else, and its connection is free again', async () => {
    const broken = Buffer.concat([Buffer.from([0x1f]), Buffer.from('not gzip at all')]);
    const { send, connection } = await answering(broken, 'gzip');
    await expect(send()).rejects.toMatchObject({ code: 'DESCRIBE_RESPONSE_INVALID' });
    expect(connection.inFlight).toBe(0);
    expect(connection.failed).toBe(false);
  });

  it('is an error where more codings are named than any server means', async () => {
    const { send } = await answering(gzipSync(TEXT), 'gzip,gzip,gzip,gzip,gzip,gzip');
    await expect(send()).rejects.toMatchObject({ code: 'DESCRIBE_RESPONSE_INVALID' });
  });

  it('is bounded as it is used: a bomb is refused before it is unpacked', async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(50_000_000)));
    const { send, connection } = await answering(bomb, 'gzip, gzip', { maxResponseBytes: 1_000_000 });
    await expect(send()).rejects.toMatchObject({
      code: 'DESCRIBE_RESPONSE_INVALID',
      message: expect.stringContaining('maxResponseBytes (1000000)'),
    });
    expect(connection.inFlight).toBe(0);
  });

  it('is bounded as it comes: endless headers of a coding unpack to nothing', async () => {
    const endless = Buffer.alloc(200_000, gzipSync('').subarray(0, 10));
    endless[3] = 0x08; // a file name follows, up to a zero byte
    const { send } = await answering(endless.map((byte) => byte || 1) as Buffer, 'gzip', {
      maxResponseBytes: 100_000,
      pieceBytes: 10_000,
    });
    await expect(send()).rejects.toMatchObject({ code: 'DESCRIBE_RESPONSE_INVALID' });
  });

  it('ends with its deadline while it is decoded', async () => {
    const { send, connection } = await overHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.write(gzipSync(TEXT).subarray(0, 20));
    });
    await expect(send({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'DESCRIBE_TIMEOUT' });
    expect(connection.inFlight).toBe(0);
  });
});

describe('a compressed stream', () => {
  it('gives each event as soon as it has come', async () => {
    let next = () => {};
    const { fetch, port } = await overHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
      const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
      gzip.pipe(response);
      gzip.write('data: 1\n\n');
      next = () => gzip.end('data: 2\n\n');
    });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    const reader = response.body?.getReader();
    const text = async () => new TextDecoder().decode((await reader?.read())?.value);
    expect(await text()).toBe('data: 1\n\n');
    next();
    expect(await text()).toBe('data: 2\n\n');
    expect(await reader?.read()).toMatchObject({ done: true });
  });

  it('is read at the pace of its reader and ends with it', async () => {
    let written = 0;
    const block = gzipSync(Buffer.alloc(1_000_000));
    const { fetch, port, connection } = await overHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-encoding': 'gzip' });
      const write = () => {
        while (!response.destroyed && response.write(block)) written += 1;
        if (!response.destroyed) response.once('drain', write);
      };
      write();
    });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    const reader = response.body?.getReader();
    await reader?.read();
    // Decoded it would be 64 MB, which is too large. It is not read that far.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(connection.inFlight).toBe(1);
    expect(written).toBeGreaterThan(0);
    await reader?.cancel();
    expect(connection.inFlight).toBe(0);
  });
});
