import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import type { UpstreamError } from '../errors/upstream-error.ts';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeInput } from './options/describe-request.ts';
import { type RawReply, startRawApi } from './raw-api.fixture.ts';

let api: Awaited<ReturnType<typeof startRawApi>> | undefined;
let client: DescribeClient | undefined;
afterEach(async () => {
  await client?.destroy();
  await api?.[Symbol.asyncDispose]();
});

const apiKey = 'sk-secret-0123456789abcdef0123456789abcdef';
const prompt = 'Whose passport lies beside the blue teapot?';
const image = createTestImage({ seed: 1 });
const base64 = Buffer.from(image).toString('base64');

/** The error of a call whose API gives that answer. */
async function failureOf(reply: RawReply, input: DescribeInput = { image, prompt }) {
  api = await startRawApi(({ method }) => (method === 'GET' ? { body: { object: 'list', data: [] } } : reply));
  client = createDescribeClient({ apiKey, baseURL: api.baseURL, retry: false });
  const error: unknown = await client.describe(input).catch((reason: unknown) => reason);
  if (!DescribeError.is(error)) throw new TypeError(`not an error of ours: ${inspect(error)}`);
  return error as UpstreamError;
}

/** Everything of an error that a log could show. */
const shown = (error: Error) =>
  `${inspect(error, { depth: 8, showHidden: true })} ${JSON.stringify(error)} ${String(error.stack)}`;

describe("the API's own reason", () => {
  it.each([
    ['error.message', { error: { message: 'model "llava" not found, try pulling it first' } }],
    ['an error that is text', { error: 'model "llava" not found, try pulling it first' }],
    ['a message at the top', { message: 'model "llava" not found, try pulling it first' }],
    ['detail', { detail: 'model "llava" not found, try pulling it first' }],
  ])('is kept from %s', async (_, body) => {
    const error = await failureOf({ status: 404, body });
    expect(error.upstreamMessage).toBe('model "llava" not found, try pulling it first');
    expect(error.message).toContain('try pulling it first');
    expect(error).toMatchObject({ code: 'DESCRIBE_UPSTREAM', status: 404 });
  });

  it.each([
    ['JSON that broke off', '{"choices":[{"message":{"content":"A red passport'],
    ['JSON with something behind it', '{"choices":[{"message":{"content":"A red passport"}}]} \0'],
    ['the text alone', 'A red passport'],
    ['lines of JSON', '{"message":{"content":"A red "}}\n{"message":{"content":"passport"}}'],
  ])('is no description in an answer that can not be read: %s', async (_, body) => {
    const error = await failureOf({ status: 200, body });
    expect(error).toMatchObject({ code: 'DESCRIBE_RESPONSE_INVALID', status: 200 });
    expect(shown(error)).not.toContain('passport');
  });

  it('never repeats a key that a function gave, not even at the first request', async () => {
    const token = 'tenant.wintergreen.manor';
    api = await startRawApi(({ method }) =>
      method === 'GET'
        ? { body: { object: 'list', data: [] } }
        : { status: 400, body: { error: { message: `no rights for ${token}`, code: token } } },
    );
    client = createDescribeClient({ apiKey: async () => token, baseURL: api.baseURL, retry: false });
    const error: unknown = await client.describe({ image, prompt }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ upstreamMessage: 'no rights for [key]' });
    expect(shown(error as Error)).not.toContain(token);
  });

  it('never repeats a header by which a gateway knows its users', async () => {
    const token = 'tenant.wintergreen.manor';
    api = await startRawApi(({ method }) =>
      method === 'GET'
        ? { body: { object: 'list', data: [] } }
        : { status: 400, body: { error: { message: `no rights for ${token} of acme-team`, code: token } } },
    );
    const headers = { 'X-Gateway-Key': token, 'X-Title': 'acme-team' };
    client = createDescribeClient({ apiKey, headers, baseURL: api.baseURL, retry: false });
    const error: unknown = await client.describe({ image, prompt }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ upstreamMessage: 'no rights for [key] of acme-team' });
    expect(shown(error as Error)).not.toContain(token);
  });

  it('is kept where it blames the image', async () => {
    const error = await failureOf({
      status: 400,
      headers: { 'x-request-id': 'req_1' },
      body: { error: { message: 'The image is 5 pixels wide.', code: 'image_too_small' } },
    });
    expect(error).toMatchObject({
      name: 'ImageError',
      upstreamMessage: 'The image is 5 pixels wide.',
      requestId: 'req_1',
    });
  });

  it('shows nothing of what was sent', async () => {
    const message = `no: ${apiKey}, "${prompt}", data:image/png;base64,${base64} ${base64} ${'x'.repeat(100_000)}`;
    const error = await failureOf({
      status: 400,
      headers: { 'x-request-id': apiKey },
      body: { error: { message, code: apiKey, type: apiKey, param: apiKey } },
    });
    for (const secret of [apiKey, prompt, base64.slice(0, 40)]) expect(shown(error)).not.toContain(secret);
    expect(error.upstreamMessage?.length).toBeLessThanOrEqual(500);
    expect(error.upstreamMessage).toMatch(/^no: \[key\]/);
    expect(error.requestId).toBeUndefined();
    expect(error.upstreamCode).toBeUndefined();
  });

  it('costs no more for a message of a megabyte', async () => {
    const message = ' 0 patches '.repeat(100_000);
    const error = await failureOf({ status: 400, body: { error: { message, code: 'invalid_value' } } });
    expect(error.upstreamMessage).toHaveLength(500);
  });

  it('reaches no prototype by its codes', async () => {
    for (const code of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      const error = await failureOf({ status: 400, body: { error: { message: 'no', code, type: code } } });
      expect(error).toMatchObject({
        name: 'UpstreamError',
        code: 'DESCRIBE_UPSTREAM',
        upstreamMessage: 'no',
      });
      await client?.destroy();
      await api?.[Symbol.asyncDispose]();
    }
  });
});
