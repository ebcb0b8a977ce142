import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AddressGuard } from './address-guard.ts';
import { type AddressCheck, createPinnedFetch, type ResolveHost } from './pinned-fetch.ts';

/** Loopback addresses that stand for private ones, and one that counts as public in these tests. */
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

/** Names that an attacker's DNS resolves to the inside, or to both. */
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
/** The system's resolver takes numbers in every form of C's `inet_aton`. */
const resolveHost: ResolveHost = async (host) => {
  if (/^(?:0x)?[\da-f.x]+$/i.test(host)) return (await lookup(host, { all: true })).map(({ address }) => address);
  return NAMES[host] ?? Promise.reject(new Error(`no such host ${host}`));
};

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
    // Two dots at the end: no number to the URL parser, but one to resolvers that drop them.
    '127.1..',
    '127.0.1...',
    '0x7f.1..',
    '0x7f.0x0.0x0.0x1..',
    '0177.0.0.1..',
    '0177.1%2e%2e',
    '127.1\u3002\u3002',
    '127.0.0.1..',
    'localhost..',
    'inside.example..',
    // Letters and digits that IDNA maps to plain ones, and characters that it drops.
    'loc\u00adalhost',
    'loc\u2060alhost',
    '\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3',
    '\ud835\udd5d\ud835\udd60\ud835\udd54\ud835\udd52\ud835\udd5d\ud835\udd59\ud835\udd60\ud835\udd64\ud835\udd65',
    'localho\u017ft',
    'localhost\u3002',
    '\u2460\u2461\u2466.\u24ea.\u24ea.\u2460',
    '\u00b9\u00b2\u2077.\u2070.\u2070.\u00b9',
    '127\u30020\uff0e0\uff611',
    '%EF%BC%91%EF%BC%92%EF%BC%97.1',
    '%6c%6f%63%61%6c%68%6f%73%74',
    '[0000:0000:0000:0000:0000:0000:0000:0001]',
    '[::0:0001]',
    '[::FFFF:7F00:0001]',
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
  `http:///127.0.0.1:${port}/`,
  `http:/127.0.0.1:${port}/`,
  `HtTp://127.0.0.1:${port}/`,
  `http:////127.0.0.1:${port}/`,
  `http://127.0.0.1\n:${port}/`,
  `http://127.0.0.1:${String(port).replace(/\d/, (digit) => `\t${digit}`)}/`,
  `http://127.0.0.1:00${port}/`,
  `http://outside.example\\@127.0.0.1:${port}/`.replace('\\', ':x%5C'),
  `http://@127.0.0.1:${port}/`,
  `http://:@127.0.0.1:${port}/`,
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
    // A name that also has an outside address may reach that one first.
    expect(
      missed.every((url) => /both/.test(url)),
      missed.join(' '),
    ).toBe(true);
    expect(reached.length).toBeGreaterThanOrEqual(150);
  });

  it('never follows a redirect inside, where each leads without the guard', async () => {
    const targets = bypassUrls().filter((url) => url.startsWith('http://'));
    const chain = [...targets, `//127.0.0.1:${port}/`, `//localhost:${port}/`, `/\\127.0.0.1:${port}/`];
    const statuses = [301, 302, 303, 307, 308];
    /** Redirects inside after this many harmless hops, against a check of the first address only. */
    const leadTo = (location: string, status: number, hops: number): void => {
      const target = [...location.replace(/[\t\n]/g, '')].map((character) =>
        character > '\x7f' ? encodeURIComponent(character) : character,
      );
      answerOutside = (request, response) => {
        const hop = Number(request.url?.slice(1));
        const next = hop < hops ? `http://outside.example:${port}/${hop + 1}` : target.join('');
        response.writeHead(status, { location: next }).end();
      };
    };
    const reached: string[] = [];
    for (const [index, location] of chain.entries()) {
      leadTo(location, statuses[index % 5] ?? 302, index % 3);
      insideConnections = 0;
      expect(await outcome(guarded(`http://outside.example:${port}/0`)), location).toBe(FORBIDDEN);
      expect(insideConnections).toBe(0);
      await outcome(unguarded(`http://outside.example:${port}/0`));
      if (insideConnections > 0) reached.push(location);
    }
    expect(chain.filter((url) => !reached.includes(url) && !/both/.test(url))).toEqual([]);
    expect(reached.length).toBeGreaterThanOrEqual(150);
  });
});
