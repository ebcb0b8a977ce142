import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AddressGuard } from './address-guard.ts';
import { type AddressCheck, createPinnedFetch, type ResolveHost } from './pinned-fetch.ts';

/**
 * Two loopback addresses: one stands for a public host, which the guard allows; the other for the inside of a network.
 */
const OUTSIDE = '127.0.0.2';
const INSIDE = '127.0.0.1';

const servers: Server[] = [];
let port = 0;
const connections: Record<string, number> = {};

beforeAll(async () => {
  for (const address of [OUTSIDE, INSIDE]) {
    const server = createServer((_request, response) => response.end('image'));
    server.on('connection', () => {
      connections[address] = (connections[address] ?? 0) + 1;
    });
    server.listen(port, address);
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
    servers.push(server);
  }
});
afterAll(() => {
  for (const server of servers) server.close();
});

const guard = new AddressGuard({ allowHosts: [OUTSIDE] });
const noGuard: AddressCheck = { checkUrl: (url) => new URL(url), checkAddress: () => {} };

const outcome = (work: Promise<{ byteLength: number } | undefined>) =>
  work.then(
    (answer) => `${answer?.byteLength} bytes`,
    (error: unknown) => (error as { code: string }).code,
  );

describe('with a DNS server that rebinds', () => {
  let dns: DatagramSocket;
  let queries = 0;
  let resolver: Resolver;

  /** Answers A queries with the outside address first and with the inside one after that, with no time to live. */
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
    for (const address of [OUTSIDE, INSIDE]) connections[address] = 0;
  });
  const counts = () => [queries, connections[OUTSIDE], connections[INSIDE]];

  const questionEnd = (query: Buffer) => query.indexOf(0, 12) + 5;
  const viaDns: ResolveHost = (host) => resolver.resolve4(host);

  it('connects to the very address that was checked', async () => {
    const fetch = createPinnedFetch({ guard, resolveHost: viaDns });
    expect(await outcome(fetch(`http://rebind.example:${port}/cat.jpg`))).toBe('5 bytes');
    expect(counts()).toEqual([1, 1, 0]);
    // The second fetch resolves the same name to a private address, and stops.
    expect(await outcome(fetch(`http://rebind.example:${port}/cat.jpg`))).toBe('DESCRIBE_IMAGE_FORBIDDEN');
    expect(counts()).toEqual([2, 1, 0]);
  });

  it('reaches the inside where the check and the connection look up apart (control)', async () => {
    const url = `http://rebind.example:${port}/cat.jpg`;
    for (const address of await viaDns('rebind.example')) guard.checkAddress('rebind.example', address);
    await outcome(createPinnedFetch({ guard: noGuard, resolveHost: viaDns })(url));
    expect([queries, connections[INSIDE]]).toEqual([2, 1]);
  });
});
