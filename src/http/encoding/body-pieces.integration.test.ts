import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, overHttp } from '../connection/http-connection.fixture.ts';

afterEach(cleanUp);

const body = randomBytes(3_000_001);
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function read(request: IncomingMessage): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of request) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

describe('a large body', () => {
  it('arrives whole and with its length, as a small one does', async () => {
    const seen: (string | undefined)[] = [];
    const { send } = await overHttp(async (request, response) => {
      const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
      seen.push(length, encoding, await read(request));
      response.end('{}');
    });
    await send({ body });
    await send({ body: body.subarray(0, 512 * 1024) });
    expect(seen).toEqual([
      String(body.length),
      undefined,
      hashOf(body),
      String(512 * 1024),
      undefined,
      hashOf(body.subarray(0, 512 * 1024)),
    ]);
  });

  it('is sent again from its start when the kept-alive socket had died', async () => {
    let requests = 0;
    const { send, counters } = await overHttp(async (request, response) => {
      requests += 1;
      if (requests === 2) {
        request.once('data', () => request.socket.resetAndDestroy());
        return;
      }
      response.end(await read(request));
    });
    await send();
    const answer = await send({ body });
    expect(answer.kind === 'whole' && answer.body.toString()).toBe(hashOf(body));
    expect(counters).toEqual({ opened: 2, requests: 2, resent: 1, failed: 0 });
  });

  it('may be answered before it was sent, and the connection goes on', async () => {
    const { send, connection } = await overHttp((request, response) => {
      if (request.headers['content-length'] === String(body.length)) {
        // Never reads it.
        response.statusCode = 413;
      }
      response.end('{}');
    });
    expect(await send({ body, timeoutMs: 5_000 })).toMatchObject({ status: 413 });
    expect(await send()).toMatchObject({ status: 200 });
    expect(connection.failed).toBe(false);
  });

  it('is given up with its signal while it is sent', async () => {
    const controller = new AbortController();
    let stalled = true;
    const { send } = await overHttp(async (request, response) => {
      if (stalled) request.once('readable', () => controller.abort(new Error('enough')));
      else response.end(await read(request));
    });
    const huge = Buffer.alloc(40_000_000);
    await expect(send({ body: huge, signal: controller.signal })).rejects.toThrow('enough');
    stalled = false;
    expect(await send({ body })).toMatchObject({ status: 200 });
  });
});
