import type { DescribeClient, RetryOptions } from '@describe-it/sdk';
import type { Fault, FaultRule } from '@describe-it/sdk/testing';
import type { Draw } from '../draw.ts';
import type { Family } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const SCHEMA = {
  name: 'facts',
  jsonSchema: {
    type: 'object',
    properties: { description: { type: 'string' } },
    required: ['description'],
    additionalProperties: false,
  },
};

/** One of each kind, in the order of the family's scenarios. */
const KINDS: readonly Fault[] = [
  { kind: 'error', code: 'rate_limit_exceeded', retryAfter: { form: 'seconds', ms: 2_000 } },
  { kind: 'error', code: 'rate_limit_exceeded', retryAfter: { form: 'milliseconds', ms: 730 } },
  { kind: 'error', code: 'rate_limit_exceeded', retryAfter: { form: 'http-date', ms: 3_000 } },
  { kind: 'error', code: 'slow_down', retryAfter: { form: 'both', ms: 1_500 } },
  { kind: 'error', code: 'insufficient_quota' },
  { kind: 'error', code: 'billing_hard_limit_reached' },
  { kind: 'error', code: 'server_is_overloaded' },
  { kind: 'error', code: 'invalid_api_key' },
  { kind: 'error', code: 'unsupported_country_region_territory' },
  { kind: 'error', code: 'model_not_found' },
  { kind: 'error', code: 'image_parse_error' },
  { kind: 'error', code: 'image_content_policy_violation' },
  { kind: 'error', code: 'context_length_exceeded' },
  { kind: 'error', status: 400 },
  { kind: 'error', status: 402 },
  { kind: 'error', status: 404, body: '<html>not here</html>' },
  { kind: 'error', status: 408 },
  { kind: 'error', status: 409 },
  { kind: 'error', status: 500 },
  { kind: 'error', status: 500, headers: { 'x-should-retry': 'false' } },
  { kind: 'error', status: 502 },
  { kind: 'error', status: 200, code: 'server_error' },
  { kind: 'reset', at: 'before-answer' },
  { kind: 'reset', at: 'mid-body' },
  { kind: 'hang' },
  { kind: 'stall' },
  { kind: 'truncate', where: 'body' },
  { kind: 'truncate', where: 'content' },
  { kind: 'wrong-json', where: 'body' },
  { kind: 'wrong-json', where: 'content' },
  { kind: 'refusal' },
  { kind: 'finish', reason: 'length' },
  { kind: 'finish', reason: 'content_filter' },
  { kind: 'finish', reason: 'stop', text: '' },
  { kind: 'close-idle' },
  {
    kind: 'headers',
    headers: { 'x-ratelimit-remaining-requests': '-1', 'x-ratelimit-limit-requests': '-1' },
  },
];

export const retryOf = (draw: Draw): RetryOptions | false =>
  draw.bool(0.1)
    ? false
    : { maxAttempts: draw.int(2, 4), initialDelayMs: draw.int(50, 400), maxDelayMs: draw.int(1_000, 5_000) };

async function someCalls(stage: Stage, client: DescribeClient, count: number): Promise<void> {
  const { draw } = stage;
  for (let call = 0; call < count; call += 1) {
    const schema = draw.bool(0.3) ? { schema: SCHEMA } : {};
    const input = { image: stage.image(draw.int(1, 4)), ...schema };
    await stage.describe(`call ${call}`, client, input, draw.bool(0.3) ? { cache: 'no-store' } : {});
    if (draw.bool(0.3)) await stage.advance(draw.int(100, 20_000));
  }
}

/** The fault happens to the first requests, then the server is well again. */
const oneKind: Family = {
  name: 'fault',
  count: KINDS.length,
  run: async (stage, index) => {
    const fault = KINDS[index];
    if (fault === undefined) throw new Error('no such fault');
    const { draw } = stage;
    const times = draw.int(1, 3);
    const latency = { distribution: 'fixed', ms: draw.int(20, 300) } as const;
    await stage.server({ latency, faults: [{ fault, times }] });
    const client = stage.client({ retry: retryOf(draw), attemptTimeoutMs: 7_001, timeoutMs: 31_003 });
    await someCalls(stage, client, 4);
  },
};

const rule = (fault: Fault, probability: number): FaultRule => ({ when: { probability }, fault });

/** Faults of every kind by chance. */
const mixed: Family = {
  name: 'mixed-faults',
  count: 8,
  run: async (stage) => {
    const { draw } = stage;
    const rules = draw
      .shuffled(KINDS)
      .slice(0, draw.int(3, 8))
      .map((fault) => rule(fault, 0.05 + draw.ratio() * 0.2));
    const latency = { distribution: 'log-normal', medianMs: draw.int(100, 900), sigma: 0.5 } as const;
    await stage.server({ latency, faults: { seed: draw.int(1, 1_000), rules } });
    const client = stage.client({ retry: retryOf(draw), attemptTimeoutMs: 7_001, timeoutMs: 31_003 });
    await someCalls(stage, client, 8);
  },
};

export const FAULTS: readonly Family[] = [oneKind, mixed];
