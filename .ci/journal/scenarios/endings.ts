import type { FallbackStep } from '@describe-it/sdk';
import type { Fault } from '@describe-it/sdk/testing';
import type { Draw } from '../draw.ts';
import type { Family } from '../scenario.ts';
import { retryOf } from './faults.ts';

const OUTAGES: readonly Fault[] = [
  { kind: 'error', status: 500 },
  { kind: 'error', code: 'server_is_overloaded' },
  { kind: 'error', code: 'insufficient_quota' },
  { kind: 'error', code: 'rate_limit_exceeded', retryAfter: { form: 'seconds', ms: 40_000 } },
  { kind: 'error', code: 'invalid_api_key' },
  { kind: 'error', code: 'image_parse_error' },
  { kind: 'refusal' },
  { kind: 'hang' },
  { kind: 'reset', at: 'before-answer' },
  { kind: 'truncate', where: 'body' },
];

function stepsOf(draw: Draw): FallbackStep[] {
  const steps: FallbackStep[] = [
    { model: 'gpt-4o-mini' },
    'stale',
    ({ prompt, model }) => ({ description: `in place of ${model}: ${prompt}`, model: 'own' }),
    () => {
      throw new Error('the fallback fails too');
    },
  ];
  return draw.shuffled(steps).slice(0, draw.int(1, 3));
}

/** The model fails, for a time or for good; an expired entry, another model or a function stands in. */
const fallbacks: Family = {
  name: 'fallback',
  count: 10,
  run: async (stage, index) => {
    const { draw } = stage;
    const server = await stage.server({ latency: { distribution: 'fixed', ms: 120 } });
    const client = stage.client({
      fallback: stepsOf(draw),
      retry: retryOf(draw),
      cache: { defaultTTL: 30, refreshThrottleSeconds: 5 },
      timeoutMs: 20_003,
      attemptTimeoutMs: 4_001,
    });
    await stage.describe('filled', client, stage.image(1));
    await stage.advance(40_000);
    const fault = OUTAGES[index % OUTAGES.length] ?? { kind: 'hang' };
    const both = draw.bool(0.3);
    server.setFaults([{ when: both ? {} : { model: 'gpt-4.1-mini' }, fault }]);
    await stage.describe('expired', client, stage.image(1));
    await stage.describe('unknown', client, stage.image(2), { metadata: { id: 7 } });
    await stage.describe('no-store', client, stage.image(1), { cache: 'no-store' });
    server.setFaults([]);
    await stage.advance(61_000);
    await stage.describe('well again', client, stage.image(1));
  },
};

/** The caller gives up at a moment that is drawn: before, in the queue, on the wire, between attempts, after. */
const aborts: Family = {
  name: 'abort',
  count: 8,
  run: async (stage) => {
    const { draw } = stage;
    const rules = draw.bool(0.5) ? [{ when: { requests: [1, 3] }, fault: draw.pick(OUTAGES) }] : [];
    await stage.server({ latency: { distribution: 'uniform', minMs: 300, maxMs: 900 }, faults: rules });
    const client = stage.client({
      retry: retryOf(draw),
      limits: { maxConcurrency: 1 },
      pool: { min: 1, max: 1 },
    });
    for (let round = 0; round < 4; round += 1) {
      const first = stage.abortAfter(draw.int(1, 1_500), `first of ${round}`);
      const second = stage.abortAfter(draw.int(1, 2_500), `second of ${round}`);
      await stage.together([
        [`${round}: first`, () => client.describe(stage.image(2 * round), { signal: first })],
        [`${round}: second`, () => client.describe(stage.image(2 * round + 1), { signal: second })],
      ]);
      await stage.advance(draw.int(1, 3_000));
    }
    const aborted = AbortSignal.abort('before');
    await stage.describe('before', client, stage.image(99), { signal: aborted });
  },
};

/** Several callers want the same thing; some leave. */
const joined: Family = {
  name: 'joined-calls',
  count: 6,
  isConcurrent: true,
  run: async (stage) => {
    const { draw } = stage;
    const fault = draw.pick(OUTAGES);
    const rules = draw.bool(0.6) ? [{ fault, times: draw.int(1, 4) }] : [];
    await stage.server({ latency: { distribution: 'fixed', ms: 700 }, faults: rules });
    const client = stage.client({ retry: retryOf(draw), attemptTimeoutMs: 5_001 });
    const calls = Array.from({ length: draw.int(3, 6) }, (_, place) => {
      const options = {
        ...(draw.bool(0.4) ? { signal: stage.abortAfter(draw.int(50, 1_200), `left ${place}`) } : {}),
        ...(draw.bool(0.3) ? { timeoutMs: draw.int(100, 2_000) } : {}),
        ...(draw.bool(0.2) ? { cacheScope: 'other' } : {}),
      };
      return [`caller ${place}`, () => client.describe(stage.image(1), options)] as const;
    });
    await stage.together(calls);
    await stage.describe('later', client, stage.image(1));
  },
};

/** Deadlines that pass in the queue, on the wire, between attempts, and ones that can't be made. */
const deadlines: Family = {
  name: 'deadline',
  count: 8,
  run: async (stage) => {
    const { draw } = stage;
    const ms = draw.int(300, 3_000);
    const rules = draw.bool(0.5) ? [{ when: { requests: { every: 2 } }, fault: draw.pick(OUTAGES) }] : [];
    await stage.server({ latency: { distribution: 'fixed', ms }, faults: rules });
    const client = stage.client({
      timeoutMs: draw.int(500, 6_000),
      attemptTimeoutMs: draw.int(200, 3_500),
      retry: retryOf(draw),
      pool: { min: 1, max: 1 },
      ...(draw.bool(0.4) ? { limits: { requestsPerMinute: draw.int(4, 20) } } : {}),
    });
    for (let call = 0; call < 5; call += 1) {
      const options = draw.bool(0.4) ? { timeoutMs: draw.int(100, 5_000) } : {};
      await stage.describe(`call ${call}`, client, stage.image(call), options);
    }
    await stage.together([
      ['beside 1', () => client.describe(stage.image(20))],
      ['beside 2', () => client.describe(stage.image(21), { timeoutMs: draw.int(100, 4_000) })],
    ]);
  },
};

export const ENDINGS: readonly Family[] = [fallbacks, aborts, joined, deadlines];
