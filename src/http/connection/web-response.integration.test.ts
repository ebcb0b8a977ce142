import { createServer as createNetServer } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, listen, open, overHttp } from './http-connection.fixture.ts';

afterEach(cleanUp);

const JSON_ANSWER = [
  'content-type',
  'application/json',
  'zeta',
  '1',
  'alpha',
  '2',
  'set-cookie',
  'a=1',
  'set-cookie',
  'b=2',
];

async function answerOf(path: string, init?: RequestInit) {
  const { fetch, port, connection } = await overHttp((request, response) => {
    if (request.url === '/text') response.writeHead(200, 'Fine', { 'content-type': 'text/plain' }).end('some text');
    else if (request.url === '/form') {
      response.writeHead(200, { 'content-type': 'application/x-www-form-urlencoded' }).end('a=1');
    } else if (request.url === '/json') response.writeHead(200, JSON_ANSWER).end('\ufeff{"a":1}');
    else response.writeHead(Number(request.url?.slice(1)), { 'content-type': 'text/plain' }).end();
  });
  const url = `http://127.0.0.1:${port}${path}`;
  return { ours: await fetch(url, init), web: await globalThis.fetch(url, init), connection };
}

/** undici's types of Node 20 lack it. */
interface Body {
  bytes(): Promise<Uint8Array>;
}

async function collected(body: Response['body']): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** The facts of a response that its reader sees. */
const factsOf = (response: Response) => ({
  isResponse: response instanceof Response,
  hasHeaders: response.headers instanceof Headers,
  tag: Object.prototype.toString.call(response),
  status: response.status,
  statusText: response.statusText,
  ok: response.ok,
  url: response.url,
  type: response.type,
  redirected: response.redirected,
  hasBody: response.body !== null,
  bodyUsed: response.bodyUsed,
  headers: [...response.headers].filter(([name]) => !/^(date|connection|keep-alive)$/.test(name)),
  cookies: response.headers.getSetCookie(),
});

describe('the answer of a connection', () => {
  it.each(['/json', '/text', '/204', '/205', '/304', '/500'])(
    'is the Response that fetch would give: %s',
    async (path) => {
      const { ours, web } = await answerOf(path);
      expect(factsOf(ours)).toEqual(factsOf(web));
      expect(await ours.text()).toBe(await web.text());
      expect(ours.bodyUsed).toBe(web.bodyUsed);
    },
  );

  it('has no body after HEAD', async () => {
    const { ours, web } = await answerOf('/text', { method: 'HEAD' });
    expect(factsOf(ours)).toEqual(factsOf(web));
  });

  const READERS: Readonly<Record<string, (response: Response) => Promise<unknown>>> = {
    text: (response) => response.text(),
    json: (response) => response.json(),
    arrayBuffer: async (response) => Buffer.from(await response.arrayBuffer()).toString(),
    bytes: async (response) => Buffer.from((await (response as unknown as Body).bytes()) as Uint8Array).toString(),
    blob: async (response) => {
      const blob = await response.blob();
      return [blob.type, await blob.text()];
    },
    body: async (response) => new TextDecoder().decode(await collected(response.body)),
    'a Response of it': async (response) => new Response(response.body, response).json(),
    'two clones': async (response) => {
      const copy = response.clone();
      return [await copy.clone().json(), await response.text(), copy.url === response.url, copy.status];
    },
  };

  it.each(Object.entries(READERS))('is read once, by %s', async (_name, read) => {
    const { ours, web } = await answerOf('/json');
    expect(await read(ours)).toEqual(await read(web));
    expect(ours.bodyUsed).toBe(true);
    await expect(ours.text()).rejects.toThrow(TypeError);
    await expect(ours.json()).rejects.toThrow(TypeError);
    expect(() => ours.clone()).toThrow(TypeError);
    await expect(ours.arrayBuffer()).rejects.toThrow(TypeError);
    expect(ours.body?.locked).toBe(web.body?.locked);
  });

  it('is read once as a stream too, and as a form', async () => {
    const { ours } = await answerOf('/form');
    expect([...(await ours.formData())]).toEqual([['a', '1']]);
    await expect(ours.text()).rejects.toThrow(TypeError);
  });

  it('has headers that can be changed, printed and copied', async () => {
    const { ours } = await answerOf('/json');
    ours.headers.append('alpha', '3');
    ours.headers.delete('zeta');
    ours.headers.set('x-own', 'é');
    expect(ours.headers.get('ALPHA')).toBe('2, 3');
    expect(ours.headers.has('zeta')).toBe(false);
    expect(new Headers(ours.headers).get('x-own')).toBe('é');
    expect(inspect(ours.headers)).toContain("'x-own': 'é'");
    expect(inspect(ours)).toContain('status: 200');
    const names: string[] = [];
    ours.headers.forEach((_value, name) => void names.push(name));
    expect(names).toEqual([...ours.headers.keys()]);
  });
});

describe('an answer that no Response could be made of', () => {
  it.each([
    ['HTTP/1.1 999 Odd', 999],
    ['HTTP/1.1 502 Błąd bramy', 502],
    ['HTTP/1.1 200 ', 200],
  ])('keeps its status, and its connection is free at once: %s', async (line, status) => {
    const page = 'x'.repeat(300_000);
    const port = await listen(
      createNetServer((socket) => {
        socket.on('data', () => {
          socket.write(
            `${line}\r\ncontent-type: text/html\r\nx-o: Łódź\r\ncontent-length: ${page.length}\r\n\r\n${page}`,
          );
        });
      }),
    );
    const { connection, fetch } = await open(`http://127.0.0.1:${port}`);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(response.status).toBe(status);
    expect(new Headers(response.headers).get('x-o')).toBe(Buffer.from('Łódź').toString('latin1'));
    expect(await response.text()).toBe(page);
    expect(connection.inFlight).toBe(0);
  });
});

describe('a request that asks for a stream', () => {
  const asking = { method: 'POST', body: JSON.stringify({ stream: true }) };

  it.each([
    ['as text', asking],
    ['as bytes', { ...asking, body: Buffer.from(asking.body) }],
  ])('gets its answer bit by bit whatever its type, asked %s', async (_how, init) => {
    let finish = () => {};
    const { fetch, port } = await overHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('data: 1\n\n');
      finish = () => response.end('data: 2\n\n');
    });
    const response = await fetch(`http://127.0.0.1:${port}/`, init);
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 1\n\n');
    finish();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 2\n\n');
  });

  it('gets an error whole: a deadline covers its body', async () => {
    const { fetch, port } = await overHttp((_request, response) => {
      response.writeHead(429, { 'content-type': 'application/json' }).write('{"error":');
    });
    const signal = AbortSignal.timeout(50);
    await expect(fetch(`http://127.0.0.1:${port}/`, { ...asking, signal })).rejects.toThrow('aborted due to timeout');
  });

  it('is not one whose prompt speaks of it', async () => {
    const { fetch, port } = await overHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"a":');
    });
    const body = JSON.stringify({ prompt: 'say {"stream":true}' });
    const signal = AbortSignal.timeout(50);
    await expect(fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, signal })).rejects.toThrow(
      'aborted due to timeout',
    );
  });
});
