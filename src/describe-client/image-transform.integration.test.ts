import type { RequestListener } from 'node:http';
import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import type { ImageTransform } from '../image/index.ts';
import { createTestImage, describeImageFacts } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { codeOf, useFakeApi } from './fake-api.fixture.ts';
import { closePublicPools, publicPool } from './public-api.fixture.ts';
import { completion, startRawApi } from './raw-api.fixture.ts';
import { type RawServer, startRawServer } from './raw-server.fixture.ts';

const { server, start } = useFakeApi();

const original = createTestImage({ seed: 1, width: 64, height: 32 });
const smaller = createTestImage({ seed: 2, width: 16, height: 8 });
const HEIC = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic and so on', 'latin1');
const requests = () => server().seen().length;

/** A transform that notes what it gets. */
function noting(result: (bytes: Uint8Array) => ReturnType<ImageTransform> = () => smaller) {
  const formats: unknown[] = [];
  const transform: ImageTransform = (bytes, { format }) => {
    formats.push(format);
    return result(bytes);
  };
  return { formats, transform };
}

let host: RawServer | undefined;
afterEach(async () => {
  await host?.close();
  host = undefined;
});

/** A host of images on this machine, and the options that allow it. */
async function serve(listener: RequestListener): Promise<string> {
  host = await startRawServer(listener);
  return `${host.origin}/cat.heic`;
}
const allowHosts = ['127.0.0.1'];

describe('images.transform of a client', () => {
  it('makes the image that is sent, of bytes that the API does not take', async () => {
    const { formats, transform } = noting();
    const client = start({ images: { transform } });
    expect((await client.describe(HEIC)).description).toBe(describeImageFacts(smaller));
    expect(formats).toEqual(['HEIC']);
    expect(await codeOf(start().describe(HEIC))).toBe('DESCRIBE_IMAGE_UNSUPPORTED');
  });

  it('runs before identity: two images that become one are described once', async () => {
    const { formats, transform } = noting();
    const client = start({ images: { transform } });
    await client.describe(HEIC);
    expect(await client.describe(original)).toMatchObject({ source: 'memory' });
    // A description under the name of the original would be that of another transform.
    const other = { transform: () => createTestImage({ seed: 3, width: 8, height: 8 }) };
    const { apiKey, baseURL } = server();
    await using second = createDescribeClient({ apiKey, baseURL, images: other, cache: client.cache });
    expect(await second.describe(original)).toMatchObject({ source: 'upstream' });
    expect(formats).toEqual(['HEIC', 'png']);
    expect(requests()).toBe(2);
  });

  it('runs once for a call, whatever the retries, fallbacks and forms', async () => {
    const { formats, transform } = noting();
    server().setFaults([{ when: { model: 'gpt-4.1-mini' }, fault: { kind: 'error', status: 500 } }]);
    const client = start({ images: { transform }, fallback: [{ model: 'gpt-4.1-nano' }] });
    expect(await client.describe(original)).toMatchObject({ model: 'gpt-4.1-nano' });
    expect(formats).toEqual(['png']);
  });

  it('decides the tokens of an estimate', async () => {
    const large = createTestImage({ seed: 1, width: 1024, height: 1024 });
    const plain = await start().estimate([{ image: large, detail: 'high' }]);
    const { transform } = noting();
    const scaled = await start({ images: { transform } }).estimate([{ image: large, detail: 'high' }]);
    expect(scaled.inputTokens ?? 0).toBeLessThan(plain.inputTokens ?? 0);
  });

  it('is used in packs, streams and describeMany', async () => {
    const { transform } = noting((bytes) => (bytes === HEIC ? smaller : bytes));
    const client = start({ images: { transform }, batch: { batchSize: 2, maxBatchWaitMs: 50 } });
    const packed = await Promise.all([client.describe(HEIC), client.describe(original)]);
    expect(packed.map(({ description }) => description)).toEqual([smaller, original].map(describeImageFacts));
    const stream = client.stream(HEIC, { prompt: 'another' });
    expect((await stream.result).description).toBe(describeImageFacts(smaller));
    for await (const item of client.describeMany([HEIC], { prompt: 'a third' })) {
      expect(item).toMatchObject({ value: { description: describeImageFacts(smaller) } });
    }
  });

  it('names the image that `invalidate` removes', async () => {
    const { transform } = noting();
    const client = start({ images: { transform } });
    await client.describe(HEIC);
    await client.invalidate(original);
    expect(await client.describe(HEIC)).toMatchObject({ source: 'upstream' });
  });
});

describe('images.transform with sharp', () => {
  const photo = createTestImage({ seed: 1, width: 300, height: 200 });
  const scaled: ImageTransform = (bytes) =>
    sharp(bytes).resize({ width: 64, height: 64, fit: 'inside' }).png().toBuffer();

  it.each(['tiff', 'avif', 'webp', 'gif', 'jpeg', 'png'] as const)('scales a %s down', async (format) => {
    const image = await sharp(photo).toFormat(format).toBuffer();
    const { description } = await start({ images: { transform: scaled } }).describe(image);
    expect(description).toMatch(/64.{0,3}43/);
  });

  it('draws an SVG', async () => {
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect width="9" height="9"/></svg>',
    );
    const { description } = await start({ images: { transform: scaled } }).describe(svg);
    expect(description).toMatch(/64.{0,3}43/);
  });

  it('fails for a HEIC that its binaries cannot decode, with its reason as the cause', async () => {
    const error = await start({ images: { transform: scaled } })
      .describe(HEIC)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'DESCRIBE_IMAGE_UNREADABLE', cause: expect.any(Error) });
  });
});

describe('images.transform that fails', () => {
  it('fails that image only, without a request or another try', async () => {
    const cause = new Error('it cannot be decoded');
    const { formats, transform } = noting((bytes) => {
      if (bytes === HEIC) throw cause;
      return bytes;
    });
    const client = start({ images: { transform }, fallback: [() => 'a fallback'] });
    const ends: unknown[] = [];
    for await (const item of client.describeMany([original, HEIC, smaller], { ordered: true })) {
      ends.push(item.status === 'fulfilled' ? item.value.source : item.reason);
    }
    expect(ends).toEqual([
      'upstream',
      expect.objectContaining({ code: 'DESCRIBE_IMAGE_UNREADABLE', cause }),
      'upstream',
    ]);
    expect(formats).toEqual(['png', 'HEIC', 'png']);
    expect(requests()).toBe(2);
  });

  it('is no rejection that nobody handles when the call ends before it', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      const reason = new Error('the caller left');
      const controller = new AbortController();
      let fail: ((error: Error) => void) | undefined;
      const transform: ImageTransform = () => {
        queueMicrotask(() => controller.abort(reason));
        return new Promise((_, reject) => {
          fail = reject;
        });
      };
      const client = start({ images: { transform } });
      expect(await codeOf(client.describe(original, { signal: controller.signal }))).toBe(reason);
      fail?.(new Error('too late'));
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(unhandled).toEqual([]);
      expect(client.stats().admission.bytesInFlight).toBe(0);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});

describe('images.transform of an image at a URL', () => {
  it('downloads it here, and sends the bytes; a hit needs neither', async () => {
    let downloads = 0;
    const url = await serve((_request, response) => {
      downloads += 1;
      response.end(HEIC);
    });
    const { formats, transform } = noting();
    await using api = await startRawApi(() => ({ body: completion('A cat.') }));
    await using client = createDescribeClient({ apiKey: 'k', baseURL: api.baseURL, images: { transform, allowHosts } });
    expect(await client.describe(url)).toMatchObject({ description: 'A cat.', source: 'upstream' });
    expect(JSON.stringify(api.bodies())).toContain(`data:image/png;base64,${smaller.toString('base64')}`);
    expect(JSON.stringify(api.bodies())).not.toContain(url);
    expect(await client.describe(url)).toMatchObject({ source: 'memory' });
    expect({ downloads, formats }).toEqual({ downloads: 1, formats: ['HEIC'] });
  });

  it('does so for an API in the public net too, which could download it', async () => {
    const url = await serve((_request, response) => void response.end(original));
    const { formats, transform } = noting();
    const client = start({ images: { transform, allowHosts }, pool: publicPool });
    expect((await client.describe(url)).description).toBe(describeImageFacts(smaller));
    expect(formats).toEqual(['png']);
    await closePublicPools();
  });

  it('shares no description with a client that sends the image as it is', async () => {
    const url = await serve((_request, response) => void response.end(original));
    const { transform } = noting();
    const client = start({ images: { transform, allowHosts } });
    await client.describe(url);
    const { apiKey, baseURL } = server();
    await using plain = createDescribeClient({ apiKey, baseURL, images: { allowHosts }, cache: client.cache });
    expect(await plain.describe(url)).toMatchObject({
      description: describeImageFacts(original),
      source: 'upstream',
    });
  });

  it('runs under the guard, and never for a forbidden address', async () => {
    const url = await serve((_request, response) => void response.end(HEIC));
    const { formats, transform } = noting();
    const client = start({ images: { transform } });
    expect(await codeOf(client.describe(url))).toBe('DESCRIBE_IMAGE_FORBIDDEN');
    expect(formats).toEqual([]);
  });

  it('sends nothing where the image cannot be downloaded here', async () => {
    const url = await serve((_request, response) => void response.writeHead(404).end());
    const { formats, transform } = noting();
    const client = start({ images: { transform, allowHosts } });
    expect(await codeOf(client.describe(url))).toBe('DESCRIBE_IMAGE_FETCH_FAILED');
    expect({ formats, requests: requests() }).toEqual({ formats: [], requests: 0 });
  });

  it('names it by its result with `imageIdentity: content`, while the host says unchanged', async () => {
    let asked: unknown[] = [];
    const url = await serve((request, response) => {
      const known = request.headers['if-none-match'];
      asked = [...asked, known];
      response.writeHead(known === undefined ? 200 : 304, { etag: '"v1"' });
      response.end(known === undefined ? HEIC : undefined);
    });
    const { formats, transform } = noting();
    const images = { transform, allowHosts, imageIdentity: 'content', aliasTtlMs: 0 } as const;
    const client = start({ images });
    await client.describe(smaller);
    expect(await client.describe(url)).toMatchObject({ source: 'memory' });
    expect(await client.describe(url)).toMatchObject({ source: 'memory' });
    expect(asked).toEqual([undefined, '"v1"']);
    expect(formats).toEqual(['png', 'HEIC']);
  });

  it('is shared by calls of one URL at the same time', async () => {
    const url = await serve((_request, response) => void response.end(HEIC));
    const { formats, transform } = noting();
    const client = start({ images: { transform, allowHosts } });
    await Promise.all([1, 2, 3, 4].map(() => client.describe(url)));
    expect(formats).toEqual(['HEIC']);
    expect(requests()).toBe(1);
  });
});
