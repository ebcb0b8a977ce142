import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import { completion } from './raw-api.fixture.ts';
import { startRawServer } from './raw-server.fixture.ts';

const cleanups: (() => unknown)[] = [];

async function serve(listener: RequestListener): Promise<number> {
  const { port, close } = await startRawServer(listener);
  cleanups.push(close);
  return port;
}

const COMPLETION = JSON.stringify(completion('a cat'));

let bodies: string[];
let apiPort: number;
let hostPort: number;
let asked: number;
let answer: RequestListener;
let client: DescribeClient | undefined;

beforeEach(async () => {
  bodies = [];
  asked = 0;
  answer = (_request, response) => response.end(createTestImage({ seed: 1 }));
  apiPort = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    bodies.push(body);
    response.setHeader('content-type', 'application/json').end(COMPLETION);
  });
  hostPort = await serve((request, response) => {
    asked += 1;
    answer(request, response);
  });
});
afterEach(async () => {
  await client?.destroy();
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const start = (options: Parameters<typeof createDescribeClient>[0] = {}) => {
  client = createDescribeClient({
    apiKey: 'sk-local',
    baseURL: `http://127.0.0.1:${apiPort}/v1`,
    images: { allowHosts: ['127.0.0.1'] },
    retry: { maxAttempts: 1 },
    ...options,
  });
  return client;
};

describe('an API in the own network', () => {
  it.each([{}, { batch: { batchSize: 2, maxBatchWaitMs: 5 } }])(
    'is sent the bytes of an image, which this process downloads: %o',
    async (options) => {
      const { description } = await start(options).describe(`http://127.0.0.1:${hostPort}/cat.png`);
      expect(description).toBe('a cat');
      expect(asked).toBe(1);
      expect(bodies).toHaveLength(1);
      expect(bodies[0]).toContain('data:image/png;base64,');
      expect(bodies[0]).not.toContain('cat.png');
    },
  );

  it('on this machine is handed a URL whose host this machine does not find', async () => {
    const { description } = await start({ images: {} }).describe('https://no-such-host.invalid.example/cat.png');
    expect(description).toBe('a cat');
    expect(bodies[0]).toContain('no-such-host.invalid.example');
  });

  it('on this machine is handed no URL whose host can not be reached', async () => {
    const closed = await serve(() => {});
    cleanups.pop()?.();
    const image = `http://127.0.0.1:${closed}/cat.png`;
    await expect(start().describe(image)).rejects.toMatchObject({ code: 'DESCRIBE_IMAGE_FETCH_FAILED' });
    expect(bodies).toEqual([]);
  });

  it('is never handed an address that may not be used', async () => {
    const image = `http://127.0.0.1:${hostPort}/cat.png`;
    await expect(start({ images: {} }).describe(image)).rejects.toMatchObject({
      code: 'DESCRIBE_IMAGE_FORBIDDEN',
    });
    answer = (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
    await expect(start().describe(image)).rejects.toMatchObject({ code: 'DESCRIBE_IMAGE_FORBIDDEN' });
    expect(bodies).toEqual([]);
  });

  it('is not handed a URL that could not be downloaded here', async () => {
    answer = (_request, response) => response.writeHead(404).end();
    const image = `http://127.0.0.1:${hostPort}/cat.png`;
    const started = start();
    for (let call = 0; call < 2; call += 1) {
      await expect(started.describe(image)).rejects.toMatchObject({ code: 'DESCRIBE_IMAGE_FETCH_FAILED' });
    }
    expect(bodies).toEqual([]);
  });

  it('is protected beside a public one, whichever of them is asked', async () => {
    const endpoints = [
      { name: 'public', apiKey: 'sk-1', baseURL: 'https://api.example.com/v1', weight: 0.001 },
      { name: 'private', apiKey: 'sk-2', baseURL: `http://127.0.0.1:${apiPort}/v1`, weight: 1_000 },
    ];
    client = createDescribeClient({ endpoints, images: { allowHosts: ['127.0.0.1'] } });
    await client.describe(`http://127.0.0.1:${hostPort}/cat.png`);
    expect(bodies.join()).not.toContain('cat.png');
  });
});
