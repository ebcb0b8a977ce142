import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ContentAliases } from '../identity/content-alias.ts';
import { createImageLoader, imageIdentity, loadImage } from '../index.ts';

let server: Server;
let base: string;
let answer: RequestListener;
let requests = 0;
let photo: Buffer;
let cat: Buffer;

beforeAll(async () => {
  photo = await readFile(new URL('../../../examples/images/rocket.jpg', import.meta.url));
  cat = await readFile(new URL('../../../examples/images/chelsea.png', import.meta.url));
  server = createServer((request, response) => {
    requests += 1;
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const allowHosts = ['127.0.0.1'];

describe('ImageLoader.fetch', () => {
  it('downloads an image and knows it as if it were a file', async () => {
    answer = (_request, response) => response.setHeader('content-type', 'text/plain').end(photo);
    const fetched = await loadImage(`${base}/rocket`, { allowHosts, download: true });
    const { etag: _etag, ...file } = { etag: undefined, ...(await loadImage(photo)) };
    expect(fetched).toMatchObject({ format: 'jpeg', width: 640, height: 427 });
    expect(imageIdentity(fetched)).toBe(imageIdentity(file));
  });

  it('passes a URL on without a request, unless told to download', async () => {
    requests = 0;
    expect(await loadImage(`${base}/rocket`, { allowHosts })).toEqual({ kind: 'url', url: `${base}/rocket` });
    expect(requests).toBe(0);
    await expect(createImageLoader().fetch(`${base}/rocket`)).rejects.toMatchObject({
      code: 'DESCRIBE_IMAGE_FORBIDDEN',
    });
    expect(requests).toBe(0);
  });

  it('refuses what is no image, whatever its header claims', async () => {
    answer = (_request, response) => response.setHeader('content-type', 'image/png').end('<html>not found</html>');
    await expect(createImageLoader({ allowHosts }).fetch(base)).rejects.toMatchObject({
      code: 'DESCRIBE_IMAGE_UNREADABLE',
    });
  });

  it('stops downloading what is no image', async () => {
    let sent = 0;
    answer = (_request, response) => {
      const send = () => {
        sent += 1;
        if (!response.destroyed && sent < 10_000) response.write(Buffer.alloc(1_000, '<p>'), send);
        else response.end();
      };
      send();
    };
    await expect(createImageLoader({ allowHosts }).fetch(base)).rejects.toMatchObject({
      code: 'DESCRIBE_IMAGE_UNREADABLE',
    });
    expect(sent).toBeLessThan(10_000);
  });

  it('follows the content of a URL by its ETag', async () => {
    let current = photo;
    answer = (request, response) => {
      const etag = `"${current.length}"`;
      if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
      else response.writeHead(200, { etag }).end(current);
    };
    const aliases = new ContentAliases(createImageLoader({ allowHosts }), { aliasTtlMs: 0 });
    const first = await aliases.resolve(`${base}/photo`);
    expect(first.image).toBeDefined();
    const second = await aliases.resolve(`${base}/photo`);
    expect(second).toEqual({ kind: 'bytes', sha256: first.sha256 });
    current = cat;
    const third = await aliases.resolve(`${base}/photo`);
    expect(third).toMatchObject({ image: { format: 'png', width: 451, height: 300 } });
    expect(third.sha256).not.toBe(first.sha256);
  });
});
