import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { completion } from './raw-api.fixture.ts';
import { type RawServer, startRawServer } from './raw-server.fixture.ts';

const CONCURRENCY = 6;

/** Requests that the server has read, and left without an answer. */
let unanswered = 0;
let arrived = 0;
let answersLeft = 0;
/** Answers wait for as many requests as this, so that no input is read in place of one that is already described. */
let answersAfter = 1;
let held: (() => void)[] = [];
let server: RawServer;
beforeAll(async () => {
  server = await startRawServer((request, response) => {
    request.resume();
    request.on('end', () => {
      arrived += 1;
      if (answersLeft > 0) {
        answersLeft -= 1;
        held.push(() => {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify(completion('fine')));
        });
      } else {
        unanswered += 1;
        response.on('close', () => {
          unanswered -= 1;
        });
      }
      if (arrived >= answersAfter) for (const answer of held.splice(0)) answer();
    });
  });
});
beforeEach(() => {
  arrived = 0;
  answersLeft = 1;
  answersAfter = CONCURRENCY;
  held = [];
});
afterAll(() => server.close());

const start = () =>
  createDescribeClient({
    apiKey: 'key',
    baseURL: `${server.origin}/v1`,
    pool: { max: CONCURRENCY },
    retry: false,
    monitor: false,
  });

/** An endless source of distinct images, and what has been done with it. */
function endlessInputs() {
  const source = { read: 0, isClosed: false };
  function* inputs() {
    try {
      while (true) {
        source.read += 1;
        yield createTestImage({ seed: source.read, width: 16, height: 16 });
      }
    } finally {
      source.isClosed = true;
    }
  }
  return { source, inputs: inputs() };
}

const left = new Error('the consumer left');
const turn = () => new Promise((resolve) => setImmediate(resolve));

const ENDS: Readonly<Record<string, (controller: AbortController) => 'break' | undefined>> = {
  breaks: () => 'break',
  throws: () => {
    throw left;
  },
  'aborts its signal': (controller) => {
    controller.abort(left);
    return undefined;
  },
};

it.each(Object.keys(ENDS))('describeMany ends its requests and its source when the consumer %s', async (way) => {
  await using client = start();
  const { source, inputs } = endlessInputs();
  const controller = new AbortController();
  const consume = async () => {
    const options = { concurrency: CONCURRENCY, signal: controller.signal };
    for await (const item of client.describeMany(inputs, options)) {
      expect(item.status).toBe('fulfilled');
      await vi.waitFor(() => expect(unanswered).toBe(CONCURRENCY - 1), 30_000);
      if (ENDS[way]?.(controller) === 'break') break;
    }
  };
  await (way === 'breaks' ? consume() : expect(consume()).rejects.toBe(left));
  await vi.waitFor(() => expect(unanswered).toBe(0), 30_000);
  await vi.waitFor(() => expect(client.stats().admission).toMatchObject({ calls: 0, bytesInFlight: 0 }), 30_000);
  const { calls, routing, pools } = client.stats();
  expect(calls).toMatchObject({ active: 0 });
  expect([routing.queued, routing.inFlight, pools['default']?.borrowed]).toEqual([0, 0, 0]);
  expect(source).toEqual({ read: CONCURRENCY, isClosed: true });
  expect(arrived).toBe(CONCURRENCY);
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  expect(Object.values(client.breakers).map((breaker) => breaker.getStats().totals.failed)).toEqual([0]);
});

it('describeMany reads no further ahead of its consumer than `concurrency`', async () => {
  await using client = start();
  answersLeft = Number.POSITIVE_INFINITY;
  answersAfter = 1;
  const { source, inputs } = endlessInputs();
  let yielded = 0;
  for await (const item of client.describeMany(inputs, { concurrency: CONCURRENCY })) {
    expect(item.status).toBe('fulfilled');
    // A slow consumer: whatever would be read without it is read now.
    for (let turns = 0; turns < 20; turns += 1) await turn();
    yielded += 1;
    expect(source.read - yielded).toBeLessThanOrEqual(CONCURRENCY);
    if (yielded === 50) break;
  }
});
