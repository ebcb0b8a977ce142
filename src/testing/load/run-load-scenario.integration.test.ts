import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createDescribeClient } from '../../describe-client/index.ts';
import { startFakeOpenAI } from '../fake-openai/fake-openai.ts';
import type { LoadScenario } from './load-scenario.ts';
import { runLoadScenario } from './run-load-scenario.ts';

/** Nothing here depends on how fast the machine is. */
const UNHURRIED = { maxResponseTime: 60_000, minThroughput: 0, maxMemoryUsage: 2 ** 40 } as const;

const scenario: LoadScenario = {
  name: 'all kinds of calls',
  proves: 'Counts of both sides agree.',
  traffic: [
    { share: 2 },
    { images: 5 },
    { method: 'stream' },
    { share: 0.5, imageBytes: 100_000 },
    { share: 0.5, tenants: 2 },
  ],
  phases: [
    { name: 'at a rate', durationMs: 500, rate: 80, drain: true },
    { name: 'several at once', durationMs: 300, concurrency: 8 },
    {
      name: 'all fails',
      durationMs: 200,
      rate: 50,
      faults: [{ fault: { kind: 'error', status: 400, code: 'invalid_image' } }],
    },
  ],
  thresholds: { ...UNHURRIED, maxErrorRate: 1, maxWrongAnswers: 0 },
};

describe('runLoadScenario', () => {
  it('counts what the client and the fake server count', async () => {
    const tenantKeys = ['sk-a', 'sk-b'];
    const server = await startFakeOpenAI({ apiKeys: ['sk-fake', ...tenantKeys] });
    const client = createDescribeClient({ apiKey: server.apiKey, baseURL: server.baseURL });
    const result = await runLoadScenario(client, scenario, { server, tenantKeys });
    const { requestsByEndpoint, requestsBilled, tokensBilled } = server.getStats();
    expect(result.phases.map(({ name }) => name)).toEqual(['at a rate', 'several at once', 'all fails']);
    expect(result.phases[0]).toMatchObject({ calls: 40, failed: 0 });
    expect(result.phases[0]?.errors).toEqual({});
    expect(result.requests).toMatchObject({ sent: requestsByEndpoint.chat, billed: requestsBilled, refused: 0 });
    // What a tenant spends stands in its own results, and all of them are calls of this load.
    expect(result.requests.tokens).toBe(tokensBilled.total);
    expect(result.succeeded + result.failed).toBe(result.calls);
    expect(Object.keys(result.errors)).toEqual(['DESCRIBE_IMAGE_UNREADABLE']);
    expect(result.firstDeltaMs?.count).toBeGreaterThan(0);
    expect(result.wrongAnswers).toBe(0);
    expect(result.passed).toBe(true);
    // The faults have ended with the load.
    await expect(client.describe('data:image/png;base64,AAAA')).rejects.toMatchObject({ code: /IMAGE/ });
    await client.close();
    await server.close();
  });

  it('does not count what another tenant of the server sends', async () => {
    const server = await startFakeOpenAI();
    const client = createDescribeClient({ apiKey: server.apiKey, baseURL: server.baseURL, cache: false });
    const phases = [{ name: 'only', durationMs: 500, rate: 20, neighbourPerMinute: 3000 }];
    const shared = { name: 'shared', proves: 'It runs.', phases, thresholds: UNHURRIED };
    const { calls, requests } = await runLoadScenario(client, shared, { server });
    expect(calls).toBe(10);
    expect(requests).toMatchObject({ sent: 10, billed: 10, perCall: 1 });
    expect(server.getStats().requestsByEndpoint.chat).toBeGreaterThan(10);
    await client.close();
    await server.close();
  });

  it('runs against any server of loopback that the client shows', async () => {
    let requests = 0;
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        requests += 1;
        const message = { role: 'assistant', content: 'A cat.' };
        const answer = { id: 'x', object: 'chat.completion', choices: [{ index: 0, finish_reason: 'stop', message }] };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const client = createDescribeClient({ apiKey: 'sk-x', baseURL, cache: false });
    const phases = [{ name: 'only', durationMs: 200, concurrency: 4 }];
    const result = await runLoadScenario(client, { name: 'raw', proves: 'It runs.', phases, thresholds: UNHURRIED });
    expect(result).toMatchObject({ failed: 0, passed: true, requests: { sent: requests } });
    expect(result.calls).toBe(requests);
    expect(result.wrongAnswers).toBeUndefined();
    await client.close();
    server.close();
  });

  it('refuses a client of the real API before any call', async () => {
    const client = createDescribeClient({ apiKey: 'sk-x', baseURL: 'https://api.openai.com/v1' });
    await expect(runLoadScenario(client, scenario, {})).rejects.toMatchObject({ code: 'DESCRIBE_CONFIG_INVALID' });
    const { name, proves } = scenario;
    const phases = [{ name: 'only', durationMs: 200, rate: 1 }];
    await expect(runLoadScenario(client, { name, proves, phases })).rejects.toThrow(/allowBilled: expected true/);
    expect(client.stats().calls).toEqual({ active: 0, succeeded: 0, failed: 0 });
    await client.close();
  });
});
