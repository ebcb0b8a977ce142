import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, overHttp } from './connection/http-connection.fixture.ts';
import { HttpClient } from './http-client.ts';

afterEach(cleanUp);

interface Seen {
  readonly url: string;
  readonly type?: string;
  readonly length?: string;
  readonly body: string;
}

/** A client of a server that answers with what it got. */
async function client(base = '/', answer?: (response: import('node:http').ServerResponse) => void) {
  const { port, connection } = await overHttp(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (answer !== undefined) {
      answer(response);
      return;
    }
    const { 'content-type': type, 'content-length': length } = request.headers;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ url: request.url, type, length, body }));
  });
  return new HttpClient(connection, {
    baseURL: `http://127.0.0.1:${port}${base}`,
    headers: {},
    timeoutMs: 5_000,
  });
}

describe('a body', () => {
  const form = () => {
    const data = new FormData();
    data.set('a', '1');
    return data;
  };

  it.each([
    ['parameters', () => new URLSearchParams({ a: '1' }), /^application\/x-www-form-urlencoded/, /^a=1$/],
    ['a form', form, /^multipart\/form-data; boundary=/, /name="a"\r\n\r\n1\r\n/],
    ['a blob', () => new Blob(['a=1'], { type: 'text/csv' }), /^text\/csv$/, /^a=1$/],
    ['an untyped file', () => new File(['a=1'], 'a'), /^$/, /^a=1$/],
    ['a stream', () => new Blob(['a=1']).stream(), /^$/, /^a=1$/],
    ['an array', () => [{}, { a: new Date(0) }], /^application\/json$/, /^\[\{\},\{"a":"1970/],
    ['an object without a prototype', () => Object.create(null), /^application\/json$/, /^\{\}$/],
    ['null', () => null, /^application\/json$/, /^null$/],
  ])('is sent as what it is: %s', async (_name, make, type, body) => {
    const http = await client();
    const { data } = await http.post<Seen>('x', make());
    expect(data.type ?? '').toMatch(type);
    expect(data.body).toMatch(body);
  });

  class Secretive {
    readonly #key = 1;
    get size() {
      return this.#key;
    }
  }

  it.each([
    ['Map', new Map([['a', 1]])],
    ['Set', { list: [new Set([1])] }],
    ['Promise', { a: {}, b: Promise.resolve(1) }],
    ['Error', new Error('x')],
    ['RegExp', /x/],
    ['Blob', { file: new Blob(['x']) }],
    ['Secretive', new Secretive()],
  ])('that JSON would write as {} is refused by name: %s', async (name, body) => {
    const http = await client();
    await expect(http.post('x', body)).rejects.toMatchObject({
      code: 'DESCRIBE_INPUT_INVALID',
      message: expect.stringContaining(`{} of a ${name}`),
    });
  });
});

describe('a path', () => {
  it.each([
    ['x', '/api/v1/x'],
    ['/x', '/api/v1/x'],
    ['//host/x', '/api/v1/host/x'],
    ['', '/api/v1/'],
    ['a/../b', '/api/v1/b'],
    ['items:batch', '/api/v1/items:batch'],
    ['a%2fb', '/api/v1/a%2fb'],
    ['a..b/..c/d..', '/api/v1/a..b/..c/d..'],
    ['x?to=../../up', '/api/v1/x?to=../../up'],
  ])('starts from the base URL: %s', async (path, url) => {
    const http = await client('/api/v1');
    expect((await http.get<Seen>(path)).data.url).toBe(url);
  });

  it.each([
    '../x',
    '../../admin',
    '%2e%2e/x',
    '.%2E/x',
    'a/../../x',
    '..\\x',
    'a\\..\\..\\x',
    '..%2fx',
    'a/..%2F..%2Fx',
    '..%5cx',
    '%2e%2e%2fx',
    '../v10/x',
    'http://other.example/api/v1/x',
    'https:\\\\other.example',
    'ftp://x/y',
  ])('never leads out of it: %s', async (path) => {
    const http = await client('/api/v1');
    const url = await http.get<Seen>(path).then(
      ({ data }) => data.url,
      (error) => error.code,
    );
    expect(url.startsWith('/api/v1/') && !url.includes('..') ? 'stays below' : url).toMatch(
      /^(?:DESCRIBE_INPUT_INVALID|stays below)$/,
    );
  });

  it('adds the queries up: of the base URL, of its own, of the options', async () => {
    const http = await client('/api?key=k%20');
    const { data } = await http.get<Seen>('x?a=1&b=%20', { query: { a: 2, c: 'é', d: true, e: undefined } });
    expect(data.url).toBe('/api/x?key=k%20&a=1&b=%20&a=2&c=%C3%A9&d=true');
    const params = new URLSearchParams('c=1&c=2');
    expect((await http.get<Seen>('x?a=1', { query: params })).data.url).toBe('/api/x?key=k%20&a=1&c=1&c=2');
  });

  it('sends what a `Headers` holds', async () => {
    const http = await client();
    const { data } = await http.post<Seen>('x', 'a', {
      headers: new Headers({ 'content-type': 'text/csv' }),
    });
    expect(data.type).toBe('text/csv');
  });

  it.each([
    ['path', null, {}],
    ['path', 5, {}],
    ['query', 'x', { query: 'a=1' }],
    ['query', 'x', { query: { a: null } }],
    ['query', 'x', { query: { a: [1, 2] } }],
    ['query', 'x', { query: { a: new Date(0) } }],
  ])('refuses what is no %s: %j %j', async (field, path, options) => {
    const http = await client('/api');
    const wrong = http.get(path as string, options as object);
    await expect(wrong).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID', field });
  });
});

describe('an answer', () => {
  it.each(['application/json', 'application/vnd.api+json; charset=utf-8'])(
    'of JSON may begin with a byte order mark: %s',
    async (type) => {
      const http = await client('/', (response) =>
        response.writeHead(200, { 'content-type': type }).end('\ufeff{"a":1}'),
      );
      expect((await http.get('x')).data).toEqual({ a: 1 });
    },
  );

  it('keeps every cookie apart', async () => {
    const cookies = ['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2'];
    const http = await client('/', (response) => response.setHeader('set-cookie', cookies).end());
    const { headers, setCookies } = await http.get('x');
    expect(setCookies).toEqual(cookies);
    expect(headers).not.toHaveProperty('set-cookie');
  });
});
