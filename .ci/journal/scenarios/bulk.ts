import type { DescribeManyOptions } from '@describe-it/sdk';
import type { Family } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { retryOf } from './faults.ts';

/** Slow by image, so that no two of them end at one moment. */
const slowness = (stage: Stage, count: number) =>
  Array.from({ length: count }, (_, place) => ({
    when: { imageHash: stage.imageHash(place + 1) },
    fault: {
      kind: 'latency',
      latency: { distribution: 'fixed', ms: stage.draw.int(50, 900) + place / 64 },
    } as const,
  }));

/** Many images with bounded concurrency, some of which fail. */
const many: Family = {
  name: 'many',
  count: 5,
  isConcurrent: true,
  run: async (stage) => {
    const { draw } = stage;
    const count = draw.int(6, 14);
    const bad = {
      when: { imageHash: stage.imageHash(3) },
      fault: { kind: 'error', code: 'invalid_image' },
    } as const;
    await stage.server({ faults: [...slowness(stage, count), ...(draw.bool(0.5) ? [bad] : [])] });
    const client = stage.client({
      retry: retryOf(draw),
      ...(draw.bool(0.3) ? { batch: { batchSize: 3, maxBatchWaitMs: 30 } } : {}),
    });
    const options: DescribeManyOptions = {
      concurrency: draw.int(1, 5),
      ordered: draw.bool(),
      ...(draw.bool(0.3) ? { signal: stage.abortAfter(draw.int(100, 2_500), 'enough') } : {}),
    };
    const inputs = Array.from({ length: count }, (_, place) => stage.image(place + 1));
    const items: unknown[] = [];
    const run = async () => {
      for await (const { index, status, ...item } of client.describeMany(inputs, options)) {
        const { explain: _explain, ...value } =
          'value' in item ? item.value : { explain: 0, reason: nameOf(item.reason) };
        items.push({ index, status, value });
        if (draw.bool(0.1)) {
          // Whether the next image is being read by then is a matter of real time: it has been.
          await new Promise<void>((resolve) => stage.after(1, resolve));
          break;
        }
      }
      return items.length;
    };
    await stage.settle(stage.start('iteration', run));
    stage.note('items', items);
  },
};

const nameOf = (error: unknown) => (error as { readonly code?: string }).code ?? String(error);

/** The cache is filled beforehand. */
const warm: Family = {
  name: 'warm',
  count: 4,
  isConcurrent: true,
  run: async (stage) => {
    const { draw } = stage;
    const count = draw.int(4, 10);
    const bad = {
      when: { imageHash: stage.imageHash(2) },
      fault: { kind: 'error', status: 500 },
      times: 4,
    } as const;
    await stage.server({ faults: [...slowness(stage, count), ...(draw.bool(0.5) ? [bad] : [])] });
    const client = stage.client({ retry: retryOf(draw) });
    const inputs = Array.from({ length: count }, (_, place) => stage.image(place + 1));
    const progress: unknown[] = [];
    const onProgress = ({
      done,
      total,
      index,
      outcome,
    }: {
      done: number;
      total?: number | undefined;
      index: number;
      outcome: string;
    }) => {
      progress.push({ done, total, index, outcome });
    };
    const options = { concurrency: draw.int(1, 4), onProgress };
    await stage.settle(stage.start('warm', () => client.warm(inputs, options)));
    await stage.settle(stage.start('again', () => client.warm(inputs.slice(0, 4), options)));
    await stage.describe('found', client, stage.image(1));
    await stage.settle(stage.start('estimate', () => client.estimate(inputs)));
    stage.note('progress', progress);
  },
};

/** One request at a time, and calls of different priority wait for it. */
const priorities: Family = {
  name: 'priority',
  count: 5,
  run: async (stage, index) => {
    const { draw } = stage;
    await stage.server({ latency: { distribution: 'fixed', ms: draw.int(300, 2_000) } });
    const client = stage.client({
      limits: { maxConcurrency: 1, ...(index % 3 === 0 ? { maxQueuedCalls: 5 } : {}) },
      pool: { min: 1, max: 1 },
    });
    const calls = Array.from({ length: draw.int(6, 10) }, (_, place) => {
      const options = {
        priority: draw.int(-1, 3),
        ...(draw.bool(0.2) ? { timeoutMs: draw.int(500, 6_000) } : {}),
      };
      return [`call ${place} of ${options.priority}`, () => client.describe(stage.image(place), options)] as const;
    });
    const begun: Promise<void>[] = [];
    for (const [name, work] of calls) {
      begun.push(stage.start(name, work));
      if (draw.bool(0.5)) await stage.advance(draw.int(10, 600));
    }
    await stage.settle(Promise.all(begun));
  },
};

/** The client's own limits a minute. */
const ownLimits: Family = {
  name: 'own-limit',
  count: 4,
  isConcurrent: true,
  run: async (stage) => {
    const { draw } = stage;
    await stage.server({ latency: { distribution: 'fixed', ms: draw.int(50, 300) } });
    const client = stage.client({
      limits: {
        ...(draw.bool(0.7) ? { requestsPerMinute: draw.int(6, 60) } : {}),
        ...(draw.bool(0.7) ? { tokensPerMinute: draw.int(2_000, 20_000) } : {}),
        ...(draw.bool(0.3) ? { processes: 2 } : {}),
      },
      timeoutMs: draw.pick([20_000, 120_000]),
    });
    const begun: Promise<void>[] = [];
    for (let call = 0; call < 12; call += 1) {
      begun.push(stage.start(`call ${call}`, () => client.describe(stage.image(call))));
      await stage.advance(draw.int(0, 700));
    }
    await stage.settle(Promise.all(begun));
  },
};

/** Limits that only the server knows: they are learned from its headers and refusals. */
const learnedLimits: Family = {
  name: 'learned-limit',
  count: 4,
  run: async (stage) => {
    const { draw } = stage;
    const limits = {
      requestsPerMinute: draw.int(10, 60),
      tokensPerMinute: draw.int(3_000, 60_000),
      burstSeconds: 5,
    };
    const server = await stage.server({ latency: { distribution: 'fixed', ms: 100 }, limits });
    const client = stage.client({ retry: retryOf(draw), timeoutMs: 90_000, pool: { min: 1, max: 2 } });
    for (let call = 0; call < 10; call += 1) {
      await stage.describe(`call ${call}`, client, stage.image(call));
      if (call === 5) server.setLimits({ ...limits, requestsPerMinute: 5 });
    }
  },
};

/** How a client begins and ends. */
const lives: Family = {
  name: 'life',
  count: 6,
  run: async (stage, index) => {
    const { draw } = stage;
    await stage.server({
      latency: { distribution: 'fixed', ms: 500 },
      faults: index === 5 ? [{ when: { endpoint: 'models' }, fault: { kind: 'error', code: 'invalid_api_key' } }] : [],
    });
    const client = stage.client({ warmUpOnStart: draw.bool(), pool: { min: draw.int(0, 2), max: 3 } });
    const statuses = async () => {
      const { status, parts } = await client.health();
      return { status, parts: Object.entries(parts).map(([name, part]) => `${name} ${part.status}`) };
    };
    await stage.settle(stage.start('health', statuses));
    await stage.settle(stage.start('warm up', () => client.warmUp()));
    await stage.describe('call', client, stage.image(1));
    const begun = [2, 3].map((place) => stage.start(`late ${place}`, () => client.describe(stage.image(place))));
    await stage.advance(draw.int(10, 400));
    begun.push(stage.start('end', index % 2 === 0 ? () => client.close() : () => client.destroy('over')));
    await stage.settle(Promise.all(begun));
    await stage.describe('after', client, stage.image(1));
    await stage.settle(stage.start('health at the end', statuses));
  },
};

export const BULK: readonly Family[] = [many, warm, priorities, ownLimits, learnedLimits, lives];
