import { afterAll, describe, expect, it } from 'vitest';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';

const client = createDescribeClient({ apiKey: 'sk-test', baseURL: 'http://127.0.0.1:9/v1', cache: false });
afterAll(() => client.destroy());

const SECRET = 'hunter2';
const BYTES = createTestImage({ seed: 1 });
const errorOf = (input: unknown): Promise<Error> =>
  client.describe(input as string).then(
    () => new Error('nothing was wrong'),
    (error: Error) => error,
  );

describe('a wrong image', () => {
  it.each([
    [
      '/home/hunter2/cat.png',
      'imageUrl: must be an http, https or data URL; got a file path. Pass `{ file }` for a file.',
    ],
    [
      { imageUrl: './hunter2.png' },
      'imageUrl: must be an http, https or data URL; got a file path. Pass `{ file }` for a file.',
    ],
    [
      'iVBORw0KGgohunter2',
      'imageUrl: must be an http, https or data URL; got base64. Write `data:image/png;base64,` before it',
    ],
    [{ imageUrl: `/9j/${'hunter2'.repeat(9_999)}` }, 'got base64. Write `data:'],
    ['file:///hunter2.png', 'got a file: URL. Pass `{ file }` with its path, or a `URL` object.'],
    [{ imageUrl: new URL('file:///hunter2.png') }, 'got a file: URL. Pass `{ file }` with its path'],
    [
      { file: 'file:///hunter2.png' },
      'file: must be a path; got a file: URL. Pass `{ file }` with its path, or a `URL`',
    ],
    [{ file: new URL('https://a.example/hunter2') }, 'file: must be a path; got a web address. Pass `{ imageUrl }`'],
    ['s3://bucket/hunter2.png', 'got a URL with the scheme s3:. Sign it as an https URL, or pass the bytes'],
    ['http://', "must be an http, https or data URL; got one that can't be parsed."],
    [`https://a.example/${'hunter2'.repeat(9_999)}`, 'imageUrl: must have at most 16384 characters; got'],
    ['', 'imageUrl: must be an http, https or data URL; got an empty text. Check the variable'],
    [undefined, 'input: must be an image URL, bytes, a Blob or a request object; got undefined. Check the variable'],
    [{ imageUrl: undefined }, 'imageUrl: must be an image; got undefined. Check the variable'],
    [{ imageUrl: null }, 'imageUrl: must be an http, https or data URL; got null. Check the variable'],
    [{ imageUrl: Buffer.from('hunter2') }, 'imageUrl: must be an http, https or data URL; got bytes. Pass `{ image }`'],
    [{ imageUrl: { url: 'https://a.example/hunter2' } }, 'got an object with `url`. Pass the address itself.'],
    [{ imageUrl: Promise.resolve('hunter2') }, 'got a promise. Await it first.'],
    [
      ['https://a.example/hunter2.png'],
      'input: must be an image URL, bytes, a Blob or a request object; got an array. Pass one image',
    ],
    [
      Promise.resolve('hunter2'),
      'input: must be an image URL, bytes, a Blob or a request object; got a promise. Await',
    ],
    [{ imageUrl: new Blob(['hunter2']).stream() }, 'got a stream. Pass `{ image }` for a stream.'],
    [new Set(['hunter2']), 'got several values. Pass one image a call, or all of them to `describeMany`'],
    [{ image: [Buffer.from('hunter2')] }, 'image: must be bytes, a Blob or a stream of bytes; got an array. Pass one'],
    [{ images: ['hunter2'] }, 'images: is no option. Pass one image a call, or all of them to `describeMany`'],
    [{ imageUrls: ['hunter2'] }, 'imageUrls: is no option. Pass one image a call'],
    [new Response('hunter2', { status: 404 }), 'image: must be a Response with an image; got one with the status 404.'],
    [Response.error(), 'image: must be a Response with an image; got one with the status 0.'],
    [{ type: 'image_url', image_url: { url: 'https://a.example/hunter2' } }, 'image_url: must be `imageUrl`'],
    [{ url: 'https://a.example/hunter2' }, 'url: expected a known option (did you mean imageUrl?)'],
    [{ image_url: 'https://a.example/hunter2' }, 'image_url: must be `imageUrl`'],
    [{ imageURL: 'https://a.example/hunter2' }, 'imageURL: expected a known option (did you mean imageUrl?)'],
    [{ path: 'hunter2.png' }, 'path: expected a known option (did you mean file?)'],
    [{ buffer: Buffer.from('hunter2') }, 'buffer: expected a known option (did you mean image?)'],
    [
      { image: 'https://a.example/hunter2' },
      'image: must be bytes, a Blob or a stream of bytes; got a web address. Pass `{ imageUrl }`',
    ],
    [{ file: 'https://a.example/hunter2' }, 'file: must be a path; got a web address. Pass `{ imageUrl }`'],
    [{ file: '' }, 'file: must be a path; got an empty text.'],
    ['data:image/png;base64', 'got one without a comma after its media type.'],
    ['data:image/png,iVBORw0KGgohunter2', 'got base64 without `;base64` before the comma.'],
    ['data:image/png;base64,***hunter2', 'got one whose base64 is not valid.'],
  ])('is told what it is and what to pass: %o', async (input, said) => {
    const error = await errorOf(input);
    expect(error).toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
    expect(error.message).toContain(said);
    expect(error.message).not.toContain(SECRET);
  });

  it('is told the host that is forbidden and the option that allows it, but no path', async () => {
    const error = await errorOf('http://10.0.0.7:8080/hunter2.png?sig=hunter2');
    expect(error).toMatchObject({ code: 'DESCRIBE_IMAGE_FORBIDDEN' });
    expect(error.message).toContain('10.0.0.7');
    expect(error.message).toContain('`images.allowHosts`');
    expect(error.message).not.toContain(SECRET);
  });

  it('is told of credentials in its URL', async () => {
    const error = await errorOf('https://me:hunter2@a.example/cat.png');
    expect(error).toMatchObject({ code: 'DESCRIBE_IMAGE_FORBIDDEN' });
    expect(error.message).toContain('must have no user or password');
    expect(error.message).not.toContain(SECRET);
  });
});

describe('a request that throws when it is read', () => {
  const thrower = () => {
    throw new RangeError(SECRET);
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  let deep: object = { type: 'string' };
  for (let level = 0; level < 20_000; level += 1) deep = { type: 'object', properties: { a: deep } };

  it.each<[string, unknown]>([
    ['by a getter', Object.defineProperty({ image: BYTES }, 'prompt', { enumerable: true, get: thrower })],
    ['by a proxy', new Proxy({}, { get: thrower, has: thrower, ownKeys: thrower })],
    ['by a proxy that is revoked', revoked.proxy],
    ['by bytes behind a proxy', new Proxy(BYTES, {})],
    ['by an address behind a proxy', new Proxy(new URL('https://a.example/hunter2'), {})],
    ['by its schema', { image: BYTES, schema: Object.defineProperty({}, '~standard', { get: thrower }) }],
    ['by its depth', { image: BYTES, schema: { name: 'deep', jsonSchema: deep } }],
    ['by its tags', { image: BYTES, tags: new Proxy(['a'], { get: thrower }) }],
  ])('%s is an input error', async (_how, input) => {
    const error = await errorOf(input);
    expect(error).toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
    expect(error.message).not.toContain(SECRET);
    await expect(client.invalidate(input as string)).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
    await expect(client.estimate([input as string])).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
    await expect(client.stream(input as string).result).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
  });
});
