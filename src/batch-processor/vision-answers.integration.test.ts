import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestImage } from '../testing/index.ts';
import { VisionDescriptionBatchProcessor } from './vision-description-batch-processor.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => {
    server?.close(resolve);
  });
});

/** A processor over a stock client, whose server gives every request this answer. */
async function start(body: unknown, status = 200, type = 'application/json') {
  const seen = { requests: 0 };
  const listening = createServer((request, response) => {
    seen.requests += 1;
    request.resume().on('end', () => {
      response.writeHead(status, { 'content-type': type });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  server = listening;
  await new Promise<void>((resolve) => {
    listening.listen(0, '127.0.0.1', resolve);
  });
  const { port } = listening.address() as AddressInfo;
  const client = new OpenAI({ apiKey: 'key', baseURL: `http://127.0.0.1:${port}/v1` });
  const processor = new VisionDescriptionBatchProcessor(client, {
    maxBatchWaitMs: 1,
    retry: { initialDelayMs: 1, maxDelayMs: 1 },
  });
  return { seen, describeImage: () => processor.process({ image: createTestImage() }) };
}

const completion = (content: unknown) => ({ choices: [{ finish_reason: 'stop', message: { content } }] });

describe('a processor over a stock client', () => {
  it.each<[string, unknown, string]>([
    ['parts', completion([{ type: 'thinking' }, { type: 'text', text: 'a cat' }]), 'application/json'],
    ['thoughts', completion('<think>x</think>a cat'), 'application/json'],
    ['JSON as text', JSON.stringify(completion('a cat')), 'text/plain'],
  ])('reads an answer in another form: %s', async (_form, body, type) => {
    const { seen, describeImage } = await start(body, 200, type);
    expect(await describeImage()).toMatchObject({ description: 'a cat' });
    expect(seen.requests).toBe(1);
  });

  it.each<[string, unknown, number, string, string, number]>([
    ['402 inside a 200', { error: { code: 402, message: 'x' } }, 200, 'application/json', 'QUOTA_EXHAUSTED', 1],
    ['a text inside a 200', { error: 'Unexpected endpoint' }, 200, 'application/json', 'UPSTREAM', 1],
    ['a page', '<html>', 200, 'text/html', 'RESPONSE_INVALID', 1],
    ['a 403 page', '<html>', 403, 'text/html', 'UPSTREAM', 1],
    ['a 502 page', '<html>', 502, 'text/html', 'UPSTREAM', 3],
    ['no text', completion(''), 200, 'application/json', 'REFUSED', 3],
    ['a filter', { error: { code: 'content_filter' } }, 400, 'application/json', 'REFUSED', 1],
  ])('judges %s as the client does', async (_fault, body, status, type, code, requests) => {
    const { seen, describeImage } = await start(body, status, type);
    await expect(describeImage()).rejects.toMatchObject({ code: `DESCRIBE_${code}` });
    expect(seen.requests).toBe(requests);
  });
});
