import type { DescribeClient } from '@describe-it/sdk';
import type { Fault } from '@describe-it/sdk/testing';
import type { Family } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { retryOf } from './faults.ts';

const TROUBLES: readonly Fault[] = [
  { kind: 'items', change: 'missing' },
  { kind: 'items', change: 'duplicated' },
  { kind: 'items', change: 'reordered' },
  { kind: 'items', change: 'invented', count: 2 },
  { kind: 'error', status: 500 },
  { kind: 'error', code: 'rate_limit_exceeded', retryAfter: { form: 'milliseconds', ms: 900 } },
  { kind: 'error', code: 'context_length_exceeded' },
  { kind: 'truncate', where: 'content' },
  { kind: 'finish', reason: 'length' },
  { kind: 'finish', reason: 'content_filter' },
  { kind: 'refusal' },
  { kind: 'wrong-json', where: 'content' },
  { kind: 'reset', at: 'mid-body' },
];

/** Calls at once, whose images share requests. */
function wave(stage: Stage, client: DescribeClient, name: string, from: number, count: number): Promise<void> {
  const { draw } = stage;
  const calls = Array.from({ length: count }, (_, place) => {
    const options = {
      ...(draw.bool(0.15) ? { prompt: 'Name the colours.' } : {}),
      ...(draw.bool(0.15) ? { cacheScope: 'tenant' } : {}),
      ...(draw.bool(0.1) ? { signal: stage.abortAfter(draw.int(10, 900), `left ${place}`) } : {}),
      ...(draw.bool(0.1) ? { priority: 1 } : {}),
    };
    return [`${name} ${place}`, () => client.describe(stage.image(from + place), options)] as const;
  });
  return stage.together(calls);
}

/** Packs always, with faults of the pack and of single items. */
const packs: Family = {
  name: 'pack',
  count: 13,
  isConcurrent: true,
  run: async (stage, index) => {
    const { draw } = stage;
    const fault = TROUBLES[index % TROUBLES.length] ?? { kind: 'hang' };
    await stage.server({
      latency: { distribution: 'fixed', ms: draw.int(100, 600) },
      faults: [{ when: { imageHash: stage.imageHash(draw.int(1, 4)) }, fault, times: draw.int(1, 3) }],
    });
    const client = stage.client({
      batch: {
        batchSize: draw.int(2, 6),
        maxBatchWaitMs: draw.int(1, 250),
        maxConcurrentBatches: draw.int(1, 3),
      },
      retry: retryOf(draw),
      attemptTimeoutMs: 6_001,
    });
    await wave(stage, client, 'first', 1, draw.int(3, 8));
    await wave(stage, client, 'second', 4, draw.int(2, 6));
  },
};

/** One image of a pack is at fault, always. */
const badImage: Family = {
  name: 'bad-image-in-pack',
  count: 4,
  isConcurrent: true,
  run: async (stage) => {
    const { draw } = stage;
    const code = draw.pick(['image_parse_error', 'image_content_policy_violation', 'invalid_image']);
    await stage.server({
      latency: { distribution: 'fixed', ms: 200 },
      faults: [{ when: { imageHash: stage.imageHash(3) }, fault: { kind: 'error', code } }],
    });
    const client = stage.client({
      batch: { batchSize: draw.int(3, 6), maxBatchWaitMs: 20 },
      retry: retryOf(draw),
    });
    await wave(stage, client, 'with it', 1, 6);
    await wave(stage, client, 'without', 10, 3);
  },
};

/** Packs only when the requests of a minute run out before the tokens do. */
const auto: Family = {
  name: 'auto-pack',
  count: 4,
  isConcurrent: true,
  run: async (stage) => {
    const { draw } = stage;
    await stage.server({
      latency: { distribution: 'fixed', ms: draw.int(100, 300) },
      limits: {
        requestsPerMinute: draw.int(20, 200),
        tokensPerMinute: draw.pick([20_000, 200_000, 2_000_000]),
        burstSeconds: 10,
      },
    });
    const client = stage.client({ batch: 'auto', timeoutMs: 120_000 });
    await stage.describe('first', client, stage.image(100));
    for (let round = 0; round < 3; round += 1) await wave(stage, client, `wave ${round}`, 10 * round, draw.int(4, 9));
  },
};

export const PACKS: readonly Family[] = [packs, badImage, auto];
