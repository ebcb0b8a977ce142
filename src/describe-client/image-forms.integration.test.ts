import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { codeOf, image, useFakeApi } from './fake-api.fixture.ts';
import type { DescribeInput } from './options/describe-request.ts';
import { startRawServer } from './raw-server.fixture.ts';

const { server, start } = useFakeApi();

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-forms-'));
  file = join(folder, 'a cat.png');
  await writeFile(file, image);
});
afterAll(() => rm(folder, { recursive: true }));

describe('describe', () => {
  it.each<[string, () => DescribeInput]>([
    ['a stream of the web', () => new Blob([image]).stream()],
    ['a stream of Node', () => createReadStream(file)],
    ['an iterable of bytes', () => Readable.from([image.subarray(0, 10), image.subarray(10)])],
    ['a Response', () => new Response(image)],
    [
      'a Response whose body is a stream of Node',
      () => ({ ok: true, status: 200, bodyUsed: false, body: createReadStream(file) }),
    ],
    ['a URL object with file:', () => pathToFileURL(file)],
    ['a request with a Response', () => ({ image: new Response(image) })],
    ['a request with a URL object with file:', () => ({ file: pathToFileURL(file) })],
  ])('takes %s, which is the same image as its bytes', async (_, input) => {
    const client = start();
    await client.describe(image);
    expect(await client.describe(input())).toMatchObject({ source: 'memory' });
    expect(server().getStats().requests).toBe(1);
  });

  it('reads the answer of a server, within its limits', async () => {
    await using host = await startRawServer((_, response) => response.end(image));
    const client = start({ images: { maxBytes: image.length } });
    expect(await client.describe(await fetch(host.origin))).toMatchObject({ source: 'upstream' });
    const small = start({ images: { maxBytes: image.length - 1 } });
    expect(await codeOf(small.describe(await fetch(host.origin)))).toBe('DESCRIBE_IMAGE_TOO_LARGE');
  });

  it('refuses an answer without success by its status, and frees its connection', async () => {
    let closed = () => {};
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    await using host = await startRawServer((request, response) => {
      request.socket.on('close', closed);
      response.writeHead(404).write('no cat here');
    });
    const failing = start().describe(await fetch(host.origin));
    await expect(failing).rejects.toMatchObject({
      code: 'DESCRIBE_INPUT_INVALID',
      field: 'image',
      message: expect.stringContaining('404'),
    });
    await isClosed;
    expect(server().getStats().requests).toBe(0);
  });

  it('refuses a body that was read before', async () => {
    const response = new Response(image);
    await response.arrayBuffer();
    await expect(start().describe(response)).rejects.toMatchObject({
      code: 'DESCRIBE_INPUT_INVALID',
      message: expect.stringContaining('got a used one'),
    });
    const locked = new Response(image);
    locked.body?.getReader();
    expect(await codeOf(start().describe(locked))).toBe('DESCRIBE_INPUT_INVALID');
    expect(await codeOf(start().describe(new Response()))).toBe('DESCRIBE_IMAGE_UNREADABLE');
  });

  it('leaves a body that stalls when its call is aborted', async () => {
    const cancelled = vi.fn();
    const body = new ReadableStream<Uint8Array>({ cancel: cancelled });
    const stop = new AbortController();
    const waiting = start().describe(new Response(body), { signal: stop.signal });
    setImmediate(() => stop.abort(new Error('enough')));
    await expect(waiting).rejects.toThrow('enough');
    expect(cancelled).toHaveBeenCalledTimes(1);
  });

  it('tells a file of a URL that is missing, or no file', async () => {
    expect(await codeOf(start().describe(pathToFileURL(join(folder, 'none.png'))))).toBe('DESCRIBE_IMAGE_UNREADABLE');
    expect(await codeOf(start().describe(pathToFileURL(folder)))).toBe('DESCRIBE_INPUT_INVALID');
    expect(await codeOf(start().describe(new URL('file://host/share/cat.png')))).toBe('DESCRIBE_IMAGE_UNREADABLE');
  });

  it('takes streams and Responses in bulk', async () => {
    const client = start();
    const inputs = [new Response(image), new Blob([image]).stream(), new Response('', { status: 500 })];
    const statuses: string[] = [];
    for await (const { status } of client.describeMany(inputs, { ordered: true })) statuses.push(status);
    expect(statuses).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });
});
