import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { ManualClock } from '../manual-clock.ts';
import { Neighbour } from './neighbour.ts';

it('ends although its server never answers', async () => {
  const clock = new ManualClock();
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const asked = once(server, 'request');
  const neighbour = new Neighbour({ baseURL, apiKey: 'sk-a' }, 60, clock);
  await clock.advance(0);
  await asked;
  const stopped = neighbour.stop();
  await clock.advance(10_000);
  expect(await stopped).toEqual({ sent: 1, billed: 0, refused: 0 });
  server.close();
});
