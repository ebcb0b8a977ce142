import { Agent } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../internal/clock.ts';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';
import type { Fault } from './fault-plan.ts';
import { readImageFacts } from './image-facts.ts';
import { askOverHttp, chatBody, clientOf, dataUrl, imageUrl, post } from './test-clients.ts';
import { createTestImage } from './test-image.ts';

let server: FakeOpenAI;
beforeEach(async () => {
  server = await startFakeOpenAI();
});
afterEach(async () => {
  await server.close();
});

describe('connections', () => {
  it('closes a kept-alive connection under the next request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    server.setFaults([{ when: { requests: 1 }, fault: { kind: 'close-idle' } }]);
    expect(await askOverHttp(server, { agent })).toMatchObject({ status: 200 });
    expect(await askOverHttp(server, { agent })).toEqual({ text: '', bytes: 0, error: 'ECONNRESET' });
    expect(await askOverHttp(server, { agent })).toMatchObject({ status: 200 });
    expect(server.getStats()).toMatchObject({ requests: 2, connections: { opened: 2 } });
    agent.destroy();
  });

  it('closes it after a while', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    server.setFaults([{ when: { requests: 1 }, fault: { kind: 'close-idle', afterMs: 20 } }]);
    await askOverHttp(server, { agent });
    expect(server.getStats().connections.open).toBe(1);
    await expect.poll(() => server.getStats().connections.open).toBe(0);
    agent.destroy();
  });

  it('closes idle connections on demand and leaves busy ones', async () => {
    const agent = new Agent({ keepAlive: true });
    await askOverHttp(server, { agent });
    server.setFaults([{ fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 60 } } }]);
    const busy = Promise.all([askOverHttp(server, { agent }), askOverHttp(server, { agent })]);
    await expect.poll(() => server.getStats().inFlight).toBe(2);
    server.closeIdleConnections();
    expect(await busy).toMatchObject([{ status: 200 }, { status: 200 }]);
    server.closeIdleConnections();
    await expect.poll(() => server.getStats().connections.open).toBe(0);
    agent.destroy();
  });
});

describe('latency', () => {
  it('delays the answer, and rules of latency add up with another fault', async () => {
    const waitsMs: number[] = [];
    const clock: Clock = {
      ...systemClock,
      setTimeout: (callback, delayMs) => {
        waitsMs.push(delayMs);
        return systemClock.setTimeout(callback, 0);
      },
    };
    await using slow = await startFakeOpenAI({ clock });
    slow.setFaults([
      { fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 40 } } },
      { fault: { kind: 'latency', latency: { distribution: 'uniform', minMs: 20, maxMs: 30 } } },
      { fault: { kind: 'error', status: 500 } },
      { fault: { kind: 'hang' } },
    ]);
    expect((await post(slow, '/v1/chat/completions', chatBody())).status).toBe(500);
    const waitedMs = waitsMs.reduce((sum, waitMs) => sum + waitMs, 0);
    expect(waitedMs).toBeGreaterThanOrEqual(60);
    expect(waitedMs).toBeLessThanOrEqual(70);
  });
});

describe('rules', () => {
  const statuses = async (count: number, body = () => chatBody()) => {
    const got: number[] = [];
    for (let index = 0; index < count; index += 1) {
      got.push((await post(server, '/v1/chat/completions', body())).status);
    }
    return got;
  };
  const failing: Fault = { kind: 'error', status: 500 };

  it('match numbers, ranges and an end', async () => {
    server.setFaults([{ when: { requests: [2, 4] }, fault: failing }]);
    expect(await statuses(5)).toEqual([200, 500, 200, 500, 200]);
    server.reset();
    server.setFaults([{ when: { requests: { from: 2, to: 4, every: 2 } }, fault: failing }]);
    expect(await statuses(6)).toEqual([200, 500, 200, 500, 200, 200]);
    server.setFaults([{ times: 2, fault: failing }]);
    expect(await statuses(3)).toEqual([500, 500, 200]);
  });

  it('match an image, a model, a key and an endpoint', async () => {
    const bad = createTestImage({ seed: 99 });
    const { hash } = readImageFacts(bad);
    server.setFaults([{ when: { imageHash: ['000000000000', hash] }, fault: failing }]);
    expect(await statuses(1, () => chatBody(dataUrl(bad)))).toEqual([500]);
    expect(await statuses(1)).toEqual([200]);
    server.setFaults([{ when: { model: 'gpt-4o' }, fault: failing }]);
    expect(await statuses(1, () => chatBody(imageUrl(), { model: 'gpt-4o' }))).toEqual([500]);
    expect(await statuses(1)).toEqual([200]);
    server.setFaults([{ when: { apiKey: 'sk-unknown' }, fault: failing }]);
    expect(await statuses(1)).toEqual([200]);
    server.setFaults([{ when: { endpoint: 'models' }, fault: failing }]);
    expect(await statuses(1)).toEqual([200]);
    await expect(clientOf(server).models.list()).rejects.toMatchObject({ status: 500 });
  });

  it('draw the same requests for the same seed', async () => {
    const plan = { seed: 7, rules: [{ when: { probability: 0.5 }, fault: failing }] };
    server.setFaults(plan);
    const first = await statuses(24);
    server.reset();
    server.setFaults(plan);
    expect(await statuses(24)).toEqual(first);
    expect(new Set(first)).toEqual(new Set([200, 500]));
    server.reset();
    server.setFaults({ ...plan, seed: 8 });
    expect(await statuses(24)).not.toEqual(first);
  });

  it('refuse a wrong plan', () => {
    expect(() => server.setFaults([{ fault: { kind: 'explode' } as never }])).toThrow(/kind/);
    expect(() => server.setFaults([{ fault: failing, when: { probability: 2 } }])).toThrow(/probability/);
    expect(() => server.setFaults([{ fault: failing, time: 1 } as never])).toThrow(/did you mean .*times/);
  });
});
