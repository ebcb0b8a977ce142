import type { EndpointOptions } from '@describe-it/sdk';
import type { Fault, FaultRule } from '@describe-it/sdk/testing';
import type { Family } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { retryOf } from './faults.ts';

const TROUBLES: readonly Fault[] = [
  { kind: 'error', status: 500 },
  { kind: 'error', code: 'invalid_api_key' },
  { kind: 'error', code: 'insufficient_quota' },
  { kind: 'error', code: 'rate_limit_exceeded', retryAfter: { form: 'seconds', ms: 5_000 } },
  { kind: 'error', code: 'server_is_overloaded' },
  { kind: 'error', code: 'model_not_found' },
  { kind: 'reset', at: 'before-answer' },
  { kind: 'hang' },
  { kind: 'finish', reason: 'stop', text: '' },
];

/** Two to four servers, of which the first is in trouble. */
async function endpointsOf(stage: Stage, rules: readonly FaultRule[]): Promise<EndpointOptions[]> {
  const { draw } = stage;
  const endpoints: EndpointOptions[] = [];
  for (const name of ['a', 'b', 'c', 'd'].slice(0, draw.int(2, 4))) {
    const ms = draw.int(80, 400);
    const server = await stage.server(
      { latency: { distribution: 'fixed', ms }, faults: name === 'a' ? rules : [] },
      name,
    );
    const { apiKey, baseURL } = server;
    endpoints.push({ name, apiKey, baseURL, ...(draw.bool(0.6) ? { weight: draw.int(1, 5) } : {}) });
  }
  return endpoints;
}

/** One call after the other over several endpoints. */
const failing: Family = {
  name: 'failing-endpoint',
  count: 9,
  run: async (stage, index) => {
    const { draw } = stage;
    const fault = TROUBLES[index % TROUBLES.length] ?? { kind: 'hang' };
    const rule: FaultRule = draw.bool(0.5) ? { fault } : { fault, times: draw.int(2, 6) };
    const endpoints = await endpointsOf(stage, [rule]);
    const client = stage.client({ endpoints, retry: retryOf(draw), attemptTimeoutMs: 2_001 });
    for (let call = 0; call < 12; call += 1) {
      await stage.describe(`call ${call}`, client, stage.image(call));
      if (draw.bool(0.4)) await stage.advance(draw.int(500, 15_000));
    }
    await stage.advance(120_000);
    for (let call = 0; call < 4; call += 1) await stage.describe(`later ${call}`, client, stage.image(50 + call));
  },
};

/** More calls at once than connections: the calls spread. */
const spread: Family = {
  name: 'spread-over-endpoints',
  count: 6,
  isConcurrent: true,
  run: async (stage) => {
    const { draw } = stage;
    const fault = draw.pick(TROUBLES);
    const endpoints = await endpointsOf(stage, draw.bool(0.5) ? [{ fault }] : []);
    const client = stage.client({
      endpoints,
      retry: retryOf(draw),
      attemptTimeoutMs: 3_001,
      pool: { min: 1, max: draw.int(1, 3) },
    });
    const calls = Array.from({ length: draw.int(6, 12) }, (_, place) => {
      return [`call ${place}`, () => client.describe(stage.image(place))] as const;
    });
    // Each at a moment of its own, for the order of those that end at one moment is the system's.
    const begun: Promise<void>[] = [];
    for (const [name, work] of calls) {
      begun.push(stage.start(name, work));
      await stage.advance(draw.int(3, 60));
    }
    await stage.settle(Promise.all(begun));
  },
};

/** An endpoint that is down from the start or goes down, and comes back. */
const outage: Family = {
  name: 'endpoint-outage',
  count: 3,
  run: async (stage) => {
    const { draw } = stage;
    const a = await stage.server({ latency: { distribution: 'fixed', ms: 90 } }, 'a');
    const b = await stage.server({ latency: { distribution: 'fixed', ms: 170 } }, 'b');
    const endpoints = [a, b].map(({ apiKey, baseURL }, place) => ({
      name: place === 0 ? 'a' : 'b',
      apiKey,
      baseURL,
      weight: place === 0 ? 4 : 1,
    }));
    const client = stage.client({ endpoints, retry: retryOf(draw) });
    for (let call = 0; call < 3; call += 1) await stage.describe(`up ${call}`, client, stage.image(call));
    await stage.settle(a.stop());
    for (let call = 0; call < 6; call += 1) await stage.describe(`down ${call}`, client, stage.image(10 + call));
    await stage.settle(a.start());
    await stage.advance(draw.int(60_000, 200_000));
    for (let call = 0; call < 4; call += 1) await stage.describe(`back ${call}`, client, stage.image(20 + call));
  },
};

/** A breaker opens, waits, lets one probe through, and closes or opens again. */
const breaker: Family = {
  name: 'breaker',
  count: 7,
  run: async (stage) => {
    const { draw } = stage;
    const failures = draw.int(3, 9);
    const fault = draw.pick(TROUBLES.slice(0, 8));
    await stage.server({
      latency: { distribution: 'fixed', ms: draw.int(50, 400) },
      faults: [{ when: { requests: { from: 3, to: 3 + failures } }, fault }],
    });
    const client = stage.client({
      retry: draw.bool(0.5) ? false : { maxAttempts: 2, initialDelayMs: 100 },
      attemptTimeoutMs: 1_501,
      circuitBreaker: {
        failureThreshold: draw.int(2, 5),
        resetTimeoutMs: draw.int(2_000, 20_000),
        ...(draw.bool(0.4) ? { maxResetTimeoutMs: 60_000 } : {}),
        ...(draw.bool(0.3) ? { halfOpenMaxCalls: 2 } : {}),
        ...(draw.bool(0.3) ? { slowCallDurationMs: 300, minimumCalls: 4 } : {}),
      },
    });
    for (let call = 0; call < 18; call += 1) {
      await stage.describe(`call ${call}`, client, stage.image(call));
      if (call > 6) await stage.advance(draw.int(500, 9_000));
    }
  },
};

export const ENDPOINTS: readonly Family[] = [failing, spread, outage, breaker];
