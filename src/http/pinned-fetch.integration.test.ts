import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { AddressGuard } from './address-guard.ts';
import { type AddressCheck, createPinnedFetch, type ResolveHost } from './pinned-fetch.ts';

/** Loopback addresses that stand for the inside of a network, and one that the guard is told to take for public. */
const INSIDE = ['127.0.0.1', '127.0.0.3', '127.1.2.3', '127.255.255.254', '::1'];
const OUTSIDE = '127.0.0.2';

const servers: Server[] = [];
const sockets = new Set<Socket>();
let port = 0;
let insideConnections = 0;
let outsideConnections = 0;
let answerOutside: RequestListener;

async function listen(address: string, onConnection: () => void, listener: RequestListener): Promise<void> {
  const server = createServer(listener);
  server.on('connection', (socket) => {
    onConnection();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, address);
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  servers.push(server);
}

beforeAll(async () => {
  await listen(
    OUTSIDE,
    () => (outsideConnections += 1),
    (request, response) => answerOutside(request, response),
  );
  for (const address of INSIDE) {
    await listen(
      address,
      () => (insideConnections += 1),
      (_request, response) => response.end('secret'),
    );
  }
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});
beforeEach(() => {
  insideConnections = 0;
  outsideConnections = 0;
  answerOutside = (_request, response) => response.end('image');
});

/** Names that an attacker's DNS points at the inside, or at both. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'inside.example': ['127.0.0.1'],
  'inside6.example': ['::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'both.example': [OUTSIDE, '127.0.0.1'],
  'both6.example': ['::1', OUTSIDE],
  'far.example': ['127.255.255.254'],
  '127.0.0.1.nip.example': ['127.0.0.1'],
  'xn--bcher-kva.example': ['127.0.0.1'],
  'outside.example': [OUTSIDE],
  localhost: ['127.0.0.1', '::1'],
  'images.localhost': ['127.0.0.1'],
  'metadata.google.internal': ['127.0.0.1'],
  'printer.local': ['127.0.0.1'],
  'router.lan': ['127.0.0.1'],
  'nas.home.arpa': ['127.0.0.1'],
  'minio.corp': ['127.0.0.1'],
  intranet: ['127.0.0.1'],
};
const resolveHost: ResolveHost = async (host) =>
  NAMES[host] ?? Promise.reject(new Error(`no such host ${host}`));

const guard = new AddressGuard({ allowHosts: [OUTSIDE] });
const noGuard: AddressCheck = { checkUrl: (url) => new URL(url), checkAddress: () => {} };
const guarded = createPinnedFetch({ guard, resolveHost });
const unguarded = createPinnedFetch({ guard: noGuard, resolveHost });

const outcome = (work: Promise<{ byteLength: number } | undefined>) =>
  work.then(
    (answer) => (answer === undefined ? 'not modified' : `${answer.byteLength} bytes`),
    (error: unknown) => (error as { code: string }).code,
  );

const FORBIDDEN = 'DESCRIBE_IMAGE_FORBIDDEN';

/** Every way to write an inside address in a URL that is known to get past naive checks. */
function bypassHosts(): readonly string[] {
  const digits = (text: string, zero: number) =>
    text.replace(/\d/g, (digit) => String.fromCodePoint(zero + Number(digit)));
  const addresses = [
    [127, 0, 0, 1],
    [127, 0, 0, 3],
    [127, 1, 2, 3],
    [127, 255, 255, 254],
  ] as const;
  const ipv4 = addresses.flatMap(([a, b, c, d]) => {
    const dotted = `${a}.${b}.${c}.${d}`;
    const number = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
    const hex = (part: number) => `0x${part.toString(16)}`;
    const octal = (part: number) => `0${part.toString(8)}`;
    return [
      dotted,
      `${dotted}.`,
      String(number),
      hex(number),
      hex(number).toUpperCase(),
      octal(number),
      [a, b, c, d].map(hex).join('.'),
      [a, b, c, d].map(octal).join('.'),
      [a, b, c, d].map((part) => `0000${octal(part)}`).join('.'),
      `${hex(a)}.${octal(b)}.${c}.${d}`,
      `${a}.${b * 2 ** 16 + c * 2 ** 8 + d}`,
      `${a}.${b}.${c * 2 ** 8 + d}`,
      digits(dotted, 0xff10),
      digits(dotted, 0x1d7ce),
      dotted.replaceAll('.', '\u3002'),
      dotted.replaceAll('.', '\uff0e'),
      dotted.replaceAll('.', '\uff61'),
      dotted.replace(/\d/g, (digit) => `%3${digit}`),
      dotted.replaceAll('.', '%2e'),
      `[::ffff:${dotted}]`,
      `[::FFFF:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}]`,
      `[0:0:0:0:0:ffff:${dotted}]`,
    ];
  });
  const others = ['0.0.0.0', '0', '0x0', '[::]', '[::1]', '[0:0:0:0:0:0:0:1]', '[0000::0001]', '[::0.0.0.1]'];
  const names = Object.keys(NAMES).filter((name) => name !== 'outside.example');
  return [
    ...ipv4,
    ...others,
    ...names,
    'LOCALHOST',
    'localhost.',
    '\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54',
    'b\u00fccher.example',
  ];
}

const bypassUrls = () => [
  ...bypassHosts().map((host) => `http://${host}:${port}/cat.jpg`),
  `http:127.0.0.1:${port}/cat.jpg`,
  `http:\\\\127.0.0.1:${port}\\cat.jpg`,
  ` \thttp://127.0.0.1:${port}/cat.jpg\n`,
  `http://12\t7.0.0.1:${port}/`,
  `http://outside.example@127.0.0.1:${port}/`,
  `http://outside.example:80@127.0.0.1:${port}/`,
  `http://outside.example%40@127.0.0.1:${port}/`,
  `http://127.0.0.1:${port}#@outside.example/`,
  `http://127.0.0.1:${port}?@outside.example/`,
  `http://127.0.0.1:${port}\\@outside.example/`,
];

describe('createPinnedFetch', () => {
  it('opens no connection to the inside for any of the bypass URLs, each of which gets there without the guard', async () => {
    const urls = bypassUrls();
    for (const url of urls) expect(await outcome(guarded(url)), url).toBe(FORBIDDEN);
    expect([insideConnections, outsideConnections]).toEqual([0, 0]);

    const reached: string[] = [];
    for (const url of urls) {
      const before = insideConnections;
      await outcome(unguarded(url));
      if (insideConnections > before) reached.push(url);
    }
    const missed = urls.filter((url) => !reached.includes(url));
    // A name with an outside address too may reach that one first.
    expect(
      missed.every((url) => /both/.test(url)),
      missed.join(' '),
    ).toBe(true);
    expect(reached.length).toBeGreaterThanOrEqual(80);
  });

  it('gets what a public host serves, on a fresh connection that is closed afterwards', async () => {
    const answer = await guarded(`http://outside.example:${port}/cat.jpg`);
    expect(Buffer.concat([...(answer?.chunks ?? [])]).toString()).toBe('image');
    expect(outsideConnections).toBe(1);
    await expect.poll(() => sockets.size).toBe(0);
  });

  it('never follows a redirect inside', async () => {
    const targets = bypassUrls().filter((url) => url.startsWith('http://'));
    const chain = [...targets, `//127.0.0.1:${port}/`, `//localhost:${port}/`, `/\\127.0.0.1:${port}/`];
    for (const status of [301, 302, 303, 307, 308]) {
      for (const [index, location] of chain.entries()) {
        if (index % 5 !== status % 5) continue;
        const encoded = [...location].map((character) =>
          character > '\x7f' ? encodeURIComponent(character) : character,
        );
        answerOutside = (request, response) => {
          // A harmless hop first, as a chain that lulls a check of the first address only.
          const hop = request.url === '/cat.jpg' ? `http://outside.example:${port}/second` : encoded.join('');
          response.writeHead(status, { location: hop.replace(/[\t\n]/g, '') }).end();
        };
        expect(await outcome(guarded(`http://outside.example:${port}/cat.jpg`)), location).toBe(FORBIDDEN);
      }
    }
    expect(insideConnections).toBe(0);
    answerOutside = (_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end();
    await outcome(unguarded(`http://outside.example:${port}/`));
    expect(insideConnections).toBe(1);
  });

  it('refuses redirects to other schemes, to nothing, and without end', async () => {
    const url = `http://outside.example:${port}/`;
    answerOutside = (_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    expect(await outcome(guarded(url))).toBe('DESCRIBE_INPUT_INVALID');
    answerOutside = (_request, response) => response.writeHead(302, { location: 'http://' }).end();
    expect(await outcome(guarded(url))).toBe('DESCRIBE_IMAGE_FETCH_FAILED');
    outsideConnections = 0;
    answerOutside = (_request, response) => response.writeHead(302, { location: '/again' }).end();
    await expect(guarded(url)).rejects.toThrow('maxRedirects (3)');
    expect(outsideConnections).toBe(4);
  });

  it('stops at the size limit, announced or not', async () => {
    const small = createPinnedFetch({ guard, resolveHost, maxBytes: 1_000 });
    const url = `http://outside.example:${port}/`;
    answerOutside = (_request, response) =>
      response.writeHead(200, { 'content-length': 1_001 }).flushHeaders();
    expect(await outcome(small(url))).toBe('DESCRIBE_IMAGE_TOO_LARGE');
    let sent = 0;
    answerOutside = (_request, response) => {
      const send = () => {
        sent += 1;
        if (!response.destroyed && sent < 10_000) response.write(Buffer.alloc(500), send);
      };
      send();
    };
    expect(await outcome(small(url))).toBe('DESCRIBE_IMAGE_TOO_LARGE');
    expect(sent).toBeLessThan(10_000);
    answerOutside = (_request, response) => response.end(Buffer.alloc(1_000));
    expect(await outcome(small(url))).toBe('1000 bytes');
  });

  it('reads no compressed answer, so that none can grow', async () => {
    answerOutside = (request, response) => {
      expect(request.headers['accept-encoding']).toBe('identity');
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.alloc(20));
    };
    expect(await outcome(guarded(`http://outside.example:${port}/`))).toBe('DESCRIBE_IMAGE_FETCH_FAILED');
  });

  it('asks with the ETag and tells that nothing changed', async () => {
    answerOutside = (request, response) => {
      response.writeHead(request.headers['if-none-match'] === '"v1"' ? 304 : 200, { etag: '"v1"' }).end();
    };
    const url = `http://outside.example:${port}/`;
    expect(await guarded(url)).toMatchObject({ etag: '"v1"', byteLength: 0 });
    expect(await guarded(url, { etag: '"v1"' })).toBeUndefined();
    expect(await guarded(url, { etag: '"v0"' })).toMatchObject({ etag: '"v1"' });
  });

  it('says whether another try may help', async () => {
    const url = `http://outside.example:${port}/`;
    for (const [status, retryable] of [
      [404, false],
      [500, true],
      [429, true],
      [403, false],
    ] as const) {
      answerOutside = (_request, response) => response.writeHead(status).end('private words of the host');
      const error = await guarded(url).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'DESCRIBE_IMAGE_FETCH_FAILED', retryable });
      expect(String(error)).not.toContain('private words');
    }
    expect(await outcome(guarded('http://nowhere.example/'))).toBe('DESCRIBE_IMAGE_FETCH_FAILED');
  });

  describe('with a host that stalls', () => {
    afterEach(() => expect.poll(() => sockets.size).toBe(0));

    for (const [where, answer] of [
      ['before its headers', () => {}],
      [
        'inside its body',
        (_request, response) => response.writeHead(200, { 'content-length': 10 }).write('part'),
      ],
    ] as readonly (readonly [string, RequestListener])[]) {
      it(`gives up ${where} after fetchTimeoutMs`, async () => {
        const clock = new ManualClock();
        const arrived = new Promise<void>((resolve) => {
          answerOutside = (request, response) => {
            answer(request, response);
            resolve();
          };
        });
        const fetch = createPinnedFetch({ guard, resolveHost, clock, fetchTimeoutMs: 2_000 });
        const result = outcome(fetch(`http://outside.example:${port}/`));
        await arrived;
        await clock.advance(2_000);
        expect(await result).toBe('DESCRIBE_TIMEOUT');
        expect(clock.pendingTimers).toBe(0);
      });

      it(`leaves ${where} when the caller does`, async () => {
        const controller = new AbortController();
        const reason = new Error('caller left');
        answerOutside = (request, response) => {
          answer(request, response);
          setImmediate(() => controller.abort(reason));
        };
        const work = guarded(`http://outside.example:${port}/`, { signal: controller.signal });
        await expect(work).rejects.toBe(reason);
      });
    }

    it('leaves a look-up that never ends', async () => {
      const controller = new AbortController();
      const fetch = createPinnedFetch({ guard, resolveHost: () => new Promise(() => {}) });
      const work = fetch('http://slow.example/', { signal: controller.signal });
      controller.abort(new Error('caller left'));
      await expect(work).rejects.toThrow('caller left');
    });
  });
});

describe('with a DNS server that rebinds', () => {
  let dns: DatagramSocket;
  let queries = 0;
  let resolver: Resolver;

  /** Answers A queries with the outside at first and the inside ever after, with no time to live. */
  beforeAll(async () => {
    dns = createSocket('udp4');
    dns.on('message', (query, { port: from, address }) => {
      queries += 1;
      const response = Buffer.concat([
        query.subarray(0, questionEnd(query)),
        Buffer.from('c00c00010001000000000004', 'hex'),
      ]);
      response.writeUInt16BE(0x8180, 2);
      response.writeUInt32BE(0x0001_0001, 4);
      response.writeUInt32BE(0, 8);
      const target = queries % 2 === 1 ? [127, 0, 0, 2] : [127, 0, 0, 1];
      dns.send(Buffer.concat([response, Buffer.from(target)]), from, address);
    });
    dns.bind(0, '127.0.0.1');
    await once(dns, 'listening');
    resolver = new Resolver({ timeout: 2_000, tries: 1 });
    resolver.setServers([`127.0.0.1:${dns.address().port}`]);
  });
  afterAll(() => {
    resolver.cancel();
    dns.close();
  });
  beforeEach(() => {
    queries = 0;
  });

  const questionEnd = (query: Buffer) => query.indexOf(0, 12) + 5;
  const viaDns: ResolveHost = (host) => resolver.resolve4(host);

  it('connects to the very address that was checked', async () => {
    const fetch = createPinnedFetch({ guard, resolveHost: viaDns });
    expect(await outcome(fetch(`http://rebind.example:${port}/cat.jpg`))).toBe('5 bytes');
    expect([queries, outsideConnections, insideConnections]).toEqual([1, 1, 0]);
    // The second fetch of the same name is told the inside, and stops there.
    expect(await outcome(fetch(`http://rebind.example:${port}/cat.jpg`))).toBe(FORBIDDEN);
    expect([queries, outsideConnections, insideConnections]).toEqual([2, 1, 0]);
  });

  it('reaches the inside where the check and the connection look up apart (control)', async () => {
    const url = `http://rebind.example:${port}/cat.jpg`;
    for (const address of await viaDns('rebind.example')) guard.checkAddress('rebind.example', address);
    await outcome(createPinnedFetch({ guard: noGuard, resolveHost: viaDns })(url));
    expect([queries, insideConnections]).toEqual([2, 1]);
  });
});
