import { Agent } from 'node:http';
import { expect, it } from 'vitest';
import { startFakeOpenAI } from './fake-openai.ts';
import type { Fault, FaultRule } from './fault-plan.ts';
import { askOverHttp } from './test-clients.ts';

const seldom = (fault: Fault): FaultRule => ({ when: { probability: 0.08 }, fault });

it('keeps count of everything while all goes wrong at once', async () => {
  await using server = await startFakeOpenAI({
    seed: 20_261_122,
    limits: { requestsPerMinute: 12_000, maxConcurrency: 30 },
    faults: [
      {
        fault: { kind: 'latency', latency: { distribution: 'log-normal', medianMs: 3, sigma: 1, maxMs: 60 } },
      },
      seldom({ kind: 'error', status: 500 }),
      seldom({ kind: 'error', code: 'rate_limit_exceeded', retryAfter: { form: 'both', ms: 10 } }),
      seldom({ kind: 'hang' }),
      seldom({ kind: 'stall' }),
      seldom({ kind: 'reset', at: 'before-answer' }),
      seldom({ kind: 'reset', at: 'mid-body' }),
      seldom({ kind: 'truncate' }),
      seldom({ kind: 'refusal' }),
      seldom({ kind: 'close-idle' }),
    ],
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const answers = await Promise.all(
    Array.from({ length: 400 }, (_, at) => askOverHttp(server, { agent, silenceMs: 1500, stream: at % 5 === 0 })),
  );
  agent.destroy();
  await expect.poll(() => server.getStats()).toMatchObject({ inFlight: 0, connections: { open: 0 } });

  const stats = server.getStats();
  const seen = server.seen();
  const count = (accepts: (request: (typeof seen)[number]) => boolean) => seen.filter(accepts).length;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  // A request on a connection that was closed under it never arrived.
  expect(stats.requests).toBe(seen.length);
  expect(stats.requests).toBeLessThanOrEqual(answers.length);
  expect(stats.requests).toBeGreaterThan(answers.length - (stats.faults['close-idle'] ?? 0) - 1);
  expect(stats.connections.opened + stats.connections.reused).toBe(stats.requests);
  expect(count(({ outcome }) => outcome === 'pending')).toBe(0);
  expect(count(({ outcome }) => outcome === 'aborted')).toBe(stats.aborted);
  // A busy machine may be silent for so long that the client gives up others too.
  expect(stats.aborted).toBeGreaterThanOrEqual((stats.faults.hang ?? 0) + (stats.faults.stall ?? 0));
  expect(count(({ outcome }) => outcome === 'broken')).toBe(stats.faults.reset);
  expect(count(({ status }) => status === 429)).toBe(stats.rateLimited);
  expect(sum(Object.values(stats.answersByStatus))).toBe(count(({ status }) => status !== undefined));
  expect(sum(seen.map(({ billedTokens }) => billedTokens))).toBe(stats.tokensBilled.total);
  expect(sum(Object.values(stats.images).map(({ billed }) => billed))).toBe(stats.requestsBilled);
  const answered = count(({ status, outcome }) => status === 200 && outcome === 'answered');
  const whole = answers.filter(({ status, error }) => status === 200 && error === undefined).length;
  const givenUp = answers.filter(({ error }) => error === 'SILENT').length;
  expect(whole).toBeLessThanOrEqual(answered);
  // On a busy machine the client gives up some that the server has written.
  expect(whole).toBeGreaterThanOrEqual(answered - givenUp);
});
