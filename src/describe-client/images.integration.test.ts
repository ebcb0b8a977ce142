import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestImage, describeImageFacts, type FakeOpenAI, startFakeOpenAI } from '../testing/index.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { ClientImageOptions } from './options/client-image-options.ts';
import { closePublicPools, publicPool } from './public-api.fixture.ts';
import { type RawServer, startRawServer } from './raw-server.fixture.ts';

let api: FakeOpenAI;
let host: RawServer;
let hostUrl: string;
let serve: RequestListener;
let asked: string[];
let client: DescribeClient | undefined;

beforeAll(async () => {
  api = await startFakeOpenAI();
  host = await startRawServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['if-none-match'] ?? ''}`.trim());
    serve(request, response);
  });
  hostUrl = host.origin;
});
beforeEach(() => {
  asked = [];
});
afterEach(async () => {
  await client?.destroy();
  await closePublicPools();
  api.setFaults([]);
  api.reset();
});
afterAll(async () => {
  await Promise.all([host.close(), api.close()]);
});

const start = (images: ClientImageOptions = {}) => {
  client = createDescribeClient({
    apiKey: api.apiKey,
    baseURL: api.baseURL,
    images: { allowHosts: ['127.0.0.1'], ...images },
  });
  return client;
};

/** Serves these bytes at every path, with an ETag of their facts. */
const serveImage = (bytes: Uint8Array) => {
  const etag = `"${describeImageFacts(bytes).replaceAll(/\W/g, '')}"`;
  serve = (request, response) => {
    response.setHeader('etag', etag);
    response.statusCode = request.headers['if-none-match'] === etag ? 304 : 200;
    response.end(response.statusCode === 304 ? undefined : bytes);
  };
};

const signedUrl = (index: number) =>
  `${hostUrl}/cat.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=${index.toString(16).padStart(64, '0')}&X-Amz-Date=${index}`;

describe('an image under many URLs', () => {
  it('is described once under 20 signed URLs', async () => {
    const image = createTestImage({ seed: 1 });
    serveImage(image);
    const started = start();
    const urls = Array.from({ length: 20 }, (_, index) => signedUrl(index));
    const results = await Promise.all(urls.map((url) => started.describe(url)));
    expect(results.map(({ description }) => description)).toEqual(Array(20).fill(describeImageFacts(image)));
    expect(api.getStats().requests).toBe(1);
  });

  it('is downloaded and described once under 20 signed URLs when it is known by its content', async () => {
    const image = createTestImage({ seed: 9 });
    serveImage(image);
    const started = start({ imageIdentity: 'content' });
    const urls = Array.from({ length: 20 }, (_, index) => signedUrl(index));
    const results = await Promise.all(urls.map((url) => started.describe(url)));
    expect(results.map(({ description }) => description)).toEqual(Array(20).fill(describeImageFacts(image)));
    expect([api.getStats().requests, asked.length]).toEqual([1, 1]);
    await started.describe(signedUrl(20));
    expect([api.getStats().requests, asked.length]).toEqual([1, 1]);
  });

  it('is described once under two paths when it is known by its content', async () => {
    const image = createTestImage({ seed: 2 });
    serveImage(image);
    const started = start({ imageIdentity: 'content' });
    await started.describe(`${hostUrl}/a.png`);
    await expect(started.describe(`${hostUrl}/b.png`)).resolves.toMatchObject({ source: 'memory' });
    await expect(started.describe(image)).resolves.toMatchObject({ source: 'memory' });
    expect(api.getStats().requests).toBe(1);
  });
});

describe('two signatures of one address', () => {
  it('do not fail together when only one of them is bad', async () => {
    const image = createTestImage({ seed: 8 });
    serve = (request, response) => {
      setTimeout(() => {
        response.statusCode = request.url?.includes('Signature=bad') ? 403 : 200;
        response.end(response.statusCode === 200 ? image : undefined);
      }, 20);
    };
    const started = start();
    const url = (signature: string) => `${hostUrl}/s.png?X-Amz-Algorithm=a&X-Amz-Signature=${signature}`;
    const [bad, good] = await Promise.allSettled([started.describe(url('bad')), started.describe(url('good'))]);
    expect(bad).toMatchObject({ reason: { code: 'DESCRIBE_IMAGE_FETCH_FAILED' } });
    expect(good).toMatchObject({ value: { description: describeImageFacts(image) } });
  });
});

describe('the limits of images', () => {
  const path = () => `${hostUrl}/limited.png`;

  it.each<[string, ClientImageOptions, string]>([
    ['maxBytes', { maxBytes: 10 }, 'DESCRIBE_IMAGE_TOO_LARGE'],
    ['maxPixels', { maxPixels: 10 }, 'DESCRIBE_IMAGE_TOO_LARGE'],
    ['maxRedirects', { maxRedirects: 0 }, 'DESCRIBE_IMAGE_FETCH_FAILED'],
    ['denyHosts', { allowHosts: [], denyHosts: ['127.0.0.1'] }, 'DESCRIBE_IMAGE_FORBIDDEN'],
    ['onlyHosts', { onlyHosts: ['images.example'] }, 'DESCRIBE_IMAGE_FORBIDDEN'],
  ])('hold for a download of the client: %s', async (_name, images, code) => {
    const image = createTestImage({ seed: 31 });
    serve = (request, response) => {
      if (request.url?.endsWith('/moved') === true) response.end(image);
      else response.writeHead(302, { location: `${hostUrl}/moved` }).end();
    };
    const download = { imageIdentity: 'content' } as const;
    await expect(start(download).describe(path())).resolves.toMatchObject({ source: 'upstream' });
    await client?.destroy();
    await expect(start({ ...download, ...images }).describe(path())).rejects.toMatchObject({ code });
  });

  it.each(['denyHosts', 'onlyHosts'] as const)(
    'name the host that %s refuses, before it is looked up',
    async (name) => {
      const images = name === 'denyHosts' ? { denyHosts: ['a.example'] } : { onlyHosts: ['b.example'] };
      await expect(start(images).describe('https://a.example/1.png')).rejects.toThrow(
        /a\.example.*(?:denyHosts|onlyHosts)/,
      );
    },
  );

  it('end a download that takes longer than fetchTimeoutMs', async () => {
    serve = () => {};
    const started = start({ imageIdentity: 'content', fetchTimeoutMs: 30 });
    await expect(started.describe(path())).rejects.toThrow(/30 ms/);
  });

  it('end a stream that takes longer than readTimeoutMs', async () => {
    const started = start({ readTimeoutMs: 30 });
    await expect(started.describe({ image: new ReadableStream() })).rejects.toThrow(/readTimeoutMs.*30 ms/);
  });

  it('take addresses for one that differ in a parameter of ignoreParameters', async () => {
    serveImage(createTestImage({ seed: 32 }));
    const started = start({ ignoreParameters: ['session'] });
    await started.describe(`${path()}?session=1&v=1`);
    await expect(started.describe(`${path()}?session=2&v=1`)).resolves.toMatchObject({ source: 'memory' });
    await expect(started.describe(`${path()}?session=2&v=2`)).resolves.toMatchObject({ source: 'upstream' });
  });
});

describe('a URL whose bytes change', () => {
  it('has the new description when aliasTtlMs is over, and not a request before', async () => {
    const [before, after] = [createTestImage({ seed: 13 }), createTestImage({ seed: 14 })];
    const clock = new ManualClock();
    const { apiKey, baseURL } = api;
    const images = { allowHosts: ['127.0.0.1'], imageIdentity: 'content', aliasTtlMs: 5_000 } as const;
    client = createDescribeClient({ apiKey, baseURL, images, clock });
    const url = `${hostUrl}/clocked.png`;
    serveImage(before);
    await client.describe(url);
    serveImage(after);
    await clock.advance(4_999);
    await expect(client.describe(url)).resolves.toMatchObject({ description: describeImageFacts(before) });
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    await expect(client.describe(url)).resolves.toMatchObject({
      description: describeImageFacts(after),
      source: 'upstream',
    });
  });

  it('is seen under a weak ETag too, which bytes may change under', async () => {
    const [before, after] = [createTestImage({ seed: 11 }), createTestImage({ seed: 12 })];
    let current = before;
    serve = (request, response) => {
      response.setHeader('etag', 'W/"same"');
      response.statusCode = request.headers['if-none-match'] === 'W/"same"' ? 304 : 200;
      response.end(response.statusCode === 304 ? undefined : current);
    };
    const started = start({ imageIdentity: 'content', aliasTtlMs: 0 });
    await started.describe(`${hostUrl}/weak.png`);
    current = after;
    await expect(started.describe(`${hostUrl}/weak.png`)).resolves.toMatchObject({
      description: describeImageFacts(after),
    });
  });

  it('is described anew after the alias TTL, and asked by ETag until then', async () => {
    const [before, after] = [createTestImage({ seed: 3 }), createTestImage({ seed: 4 })];
    const started = start({ imageIdentity: 'content', aliasTtlMs: 0 });
    serveImage(before);
    await expect(started.describe(`${hostUrl}/x.png`)).resolves.toMatchObject({
      description: describeImageFacts(before),
    });
    await expect(started.describe(`${hostUrl}/x.png`)).resolves.toMatchObject({ source: 'memory' });
    expect(asked.at(-1)).toMatch(/^GET \/x\.png "/);
    serveImage(after);
    await expect(started.describe(`${hostUrl}/x.png`)).resolves.toMatchObject({
      description: describeImageFacts(after),
      source: 'upstream',
    });
    expect(api.getStats().requests).toBe(2);
  });
});

describe('a URL whose bytes change while it is trusted', () => {
  it('never has a description of its new bytes under the name of the old', async () => {
    const [before, after] = [createTestImage({ seed: 6 }), createTestImage({ seed: 7 })];
    const started = start({ imageIdentity: 'content', aliasTtlMs: 60_000 });
    serveImage(before);
    await started.describe(`${hostUrl}/y.png`);
    serveImage(after);
    // Another prompt is a miss. The present bytes are sent, and name the entry.
    await expect(started.describe(`${hostUrl}/y.png`, { prompt: 'Other?' })).resolves.toMatchObject({
      description: describeImageFacts(after),
    });
    await expect(started.describe(before, { prompt: 'Other?' })).resolves.toMatchObject({
      description: describeImageFacts(before),
      source: 'upstream',
    });
    await expect(started.describe(after, { prompt: 'Other?' })).resolves.toMatchObject({ source: 'memory' });
  });
});

const startPublic = () => {
  client = createDescribeClient({
    apiKey: api.apiKey,
    baseURL: api.baseURL,
    images: { allowHosts: ['127.0.0.1'] },
    pool: publicPool,
  });
  return client;
};

describe('a URL that the API can not download', () => {
  it.each([false as const, { batchSize: 2, maxBatchWaitMs: 5 }])(
    'is sent inline, once, and its host remembered (batch: %o)',
    async (batch) => {
      const image = createTestImage({ seed: 5 });
      serveImage(image);
      api.setFaults([{ times: 1, fault: { kind: 'error', code: 'failed_to_download_image' } }]);
      client = createDescribeClient({
        apiKey: api.apiKey,
        baseURL: api.baseURL,
        images: { allowHosts: ['127.0.0.1'] },
        batch,
        pool: publicPool,
      });
      await expect(client.describe(`${hostUrl}/one.png`)).resolves.toMatchObject({
        description: describeImageFacts(image),
      });
      expect(api.getStats().requests).toBe(2);
      // The API's own try, then ours; the second image of that host is downloaded by us alone.
      expect(asked).toEqual(['GET /one.png', 'GET /one.png']);
      await client.describe(`${hostUrl}/two.png`);
      expect(api.getStats().requests).toBe(3);
      expect(asked.slice(2)).toEqual(['GET /two.png']);
    },
  );

  it('has no retries of its own for the bytes: all forms of an image share one cap', async () => {
    serveImage(createTestImage({ seed: 40 }));
    api.setFaults([
      {
        when: { requests: 3 },
        fault: { kind: 'error', status: 400, code: 'failed_to_download_image' },
      },
      { fault: { kind: 'error', status: 500 } },
    ]);
    const failure = startPublic().describe(`${hostUrl}/late.png`);
    await expect(failure).rejects.toMatchObject({ code: 'DESCRIBE_UPSTREAM', status: 500 });
    // Three requests have its URL, of which two are retries. One has its bytes.
    expect(api.getStats().requestsByEndpoint.chat).toBe(4);
  });

  it('fails when we can not download it either', async () => {
    serve = (_request, response) => {
      response.statusCode = 404;
      response.end();
    };
    await expect(startPublic().describe(`${hostUrl}/gone.png`)).rejects.toMatchObject({
      code: 'DESCRIBE_IMAGE_FETCH_FAILED',
    });
    expect(api.getStats().requests).toBe(1);
  });
});

describe('estimate', () => {
  it('comes within 2 % of what is billed, and sends nothing', async () => {
    const started = start();
    const sizes = [64, 200, 512, 777, 1024, 1500];
    const inputs = sizes.map((width, seed) => ({
      image: createTestImage({ seed: 50 + seed, width, height: Math.round(width * 0.7) }),
      prompt: 'Describe this image.',
      detail: 'high' as const,
    }));
    const estimate = await started.estimate(inputs, { expectedOutputTokens: 10, requestsPerMinute: 60 });
    expect(api.getStats().requests).toBe(0);
    expect(estimate).toMatchObject({ calls: 6, images: 6, durationMs: 8000, unpricedCalls: 0 });
    for await (const item of started.describeMany(inputs)) expect(item.status).toBe('fulfilled');
    const { prompt } = api.getStats().tokensBilled;
    expect(Math.abs((estimate.inputTokens ?? Number.NaN) - prompt) / prompt).toBeLessThan(0.02);
    expect(estimate.costUsd).toBeGreaterThan(0);
  });

  it('counts an image of which only the URL is known as the largest', async () => {
    const started = start();
    const [known, unknown] = await Promise.all([
      started.estimate([createTestImage({ seed: 1 })]),
      started.estimate(['https://example.com/any.png']),
    ]);
    expect(unknown.inputTokens).toBeGreaterThan(known.inputTokens ?? Number.NaN);
    expect(asked).toEqual([]);
  });

  it('takes prices of the caller', async () => {
    const price = { input: 1000, output: 0, provenance: { source: 'mine', readOn: '2026-11-22' } };
    client = createDescribeClient({
      apiKey: api.apiKey,
      baseURL: api.baseURL,
      models: {
        'gpt-4.1-mini': {
          family: 'mine',
          sizing: { kind: 'tile', baseTokens: 1000, tileTokens: 0 },
          sizingProvenance: { source: 'mine', readOn: '2026-11-22' },
          price,
        },
      },
    });
    const { costUsd } = await client.estimate([createTestImage({ seed: 1 })]);
    expect(costUsd).toBeGreaterThanOrEqual(1);
    expect(costUsd).toBeLessThan(1.1);
    const described = await client.describe(createTestImage({ seed: 1 }));
    expect(described.costUsd).toBeCloseTo((described.usage?.promptTokens ?? 0) / 1000);
  });
});
