import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDescribeClient } from './create-describe-client.ts';
import { image } from './fake-api.fixture.ts';
import { completion } from './raw-api.fixture.ts';

const TENANTS = 500;
const MAX_CONNECTIONS = 200;

/** A raw server that counts its sockets, and answers each key with the key itself. */
const sockets = { open: 0, most: 0 };
let server: Server;
let baseURL = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      const body = JSON.stringify(completion(request.headers.authorization));
      setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(body), 5);
    });
  });
  server.on('connection', (socket) => {
    sockets.open += 1;
    sockets.most = Math.max(sockets.most, sockets.open);
    socket.once('close', () => {
      sockets.open -= 1;
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('500 tenants over one client', () => {
  it('each get their own descriptions, over no more connections than the maximum', async () => {
    const client = createDescribeClient({ apiKey: 'sk-parent', baseURL, tenants: { maxConnections: MAX_CONNECTIONS } });
    const mostConnections = { now: 0 };
    const keys = Array.from({ length: TENANTS }, (_, index) => `sk-tenant-${index}`);
    for (const prompt of ['first', 'second']) {
      const described = await Promise.all(
        keys.map(async (key, index) => {
          const { description } = await client.withKey(key).describe({ image, prompt });
          // A snapshot of 500 tenants takes a while.
          if (index % 50 > 0) return description;
          const { connections = 0 } = client.stats().tenants ?? {};
          mostConnections.now = Math.max(mostConnections.now, connections);
          return description;
        }),
      );
      expect(described).toEqual(keys.map((key) => `Bearer ${key}`));
    }
    const again = await Promise.all(keys.map((key) => client.withKey(key).describe({ image, prompt: 'first' })));
    expect(again.map(({ description, source }) => `${source} ${description}`)).toEqual(
      keys.map((key) => `memory Bearer ${key}`),
    );
    expect(mostConnections.now).toBe(MAX_CONNECTIONS);
    // The server may hear of a closed socket after it has accepted the next.
    expect(sockets.most).toBeLessThanOrEqual(MAX_CONNECTIONS + 20);
    const { tenants } = client.stats();
    expect(tenants).toMatchObject({ size: TENANTS, evicted: 0, waiting: 0 });
    expect(JSON.stringify(client.stats()) + (await client.metrics())).not.toContain('sk-tenant');
    await client.close();
  });
});
