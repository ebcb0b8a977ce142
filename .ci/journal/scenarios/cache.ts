import type { CacheMode } from '@describe-it/sdk';
import type { Family } from '../scenario.ts';

const MODES: readonly CacheMode[] = ['default', 'no-store', 'reload', 'only-if-cached'];

/** Calls in every cache mode, with short lives. */
const modes: Family = {
  name: 'cache-mode',
  count: 6,
  run: async (stage) => {
    const { draw } = stage;
    await stage.server({ latency: { distribution: 'fixed', ms: 50 } });
    const client = stage.client({
      cache: { defaultTTL: draw.int(10, 60), memory: { maxEntries: draw.int(2, 50) } },
    });
    for (let call = 0; call < 14; call += 1) {
      await stage.describe(`call ${call}`, client, stage.image(draw.int(1, 4)), {
        cache: draw.pick(MODES),
        ...(draw.bool(0.2) ? { ttlSeconds: draw.int(1, 30) } : {}),
        ...(draw.bool(0.2) ? { cacheScope: draw.pick(['one', 'two']) } : {}),
        ...(draw.bool(0.2) ? { prompt: draw.pick(['What?', 'Why?']) } : {}),
      });
      if (draw.bool(0.3)) await stage.advance(draw.int(1_000, 30_000));
    }
  },
};

/** Entries that have expired but are kept, with and without a server that answers. */
const stale: Family = {
  name: 'stale',
  count: 4,
  run: async (stage) => {
    const { draw } = stage;
    const server = await stage.server({ latency: { distribution: 'fixed', ms: 150 } });
    const client = stage.client({
      cache: { defaultTTL: 20, graceSeconds: draw.int(60, 600), refreshThrottleSeconds: draw.int(5, 20) },
      ...(draw.bool(0.5) ? { fallback: ['stale'] } : {}),
      retry: false,
    });
    for (let image = 1; image <= 2; image += 1) await stage.describe(`fill ${image}`, client, stage.image(image));
    await stage.advance(25_000);
    server.setFaults([{ fault: { kind: 'error', status: 503 } }]);
    for (let call = 0; call < 4; call += 1) {
      await stage.describe(`failing ${call}`, client, stage.image(1), {
        cache: draw.pick(['default', 'reload']),
      });
      await stage.advance(draw.int(1_000, 12_000));
    }
    server.setFaults([]);
    await stage.describe('well', client, stage.image(1));
    await stage.describe('other', client, stage.image(2), { cache: 'only-if-cached' });
    await stage.advance(700_000);
    await stage.describe('gone', client, stage.image(2), { cache: 'only-if-cached' });
  },
};

/** Tags and single descriptions are invalidated, also while a call is under way. */
const tags: Family = {
  name: 'tags',
  count: 5,
  run: async (stage) => {
    const { draw } = stage;
    await stage.server({ latency: { distribution: 'fixed', ms: 400 } });
    const client = stage.client({ cache: { defaultTTL: 600 } });
    const names = ['red', 'green', 'blue'];
    for (let step = 0; step < 14; step += 1) {
      const number = draw.int(1, 4);
      const taking = draw.shuffled(names).slice(0, draw.int(0, 2));
      const act = draw.int(1, 10);
      if (act <= 6) await stage.describe(`describe ${step}`, client, stage.image(number), { tags: taking });
      else if (act <= 8) {
        await stage.settle(stage.start(`tags ${step}`, () => client.invalidateTags([draw.pick(names)])));
      } else if (act === 9) {
        await stage.settle(stage.start(`one ${step}`, () => client.invalidate(stage.image(number))));
      } else {
        stage.after(draw.int(50, 350), () => void client.invalidateTags(['red']));
        await stage.describe(`meanwhile ${step}`, client, stage.image(10 + step), { tags: ['red'] });
      }
    }
  },
};

/** Without a cache, and with a tiny one. */
const small: Family = {
  name: 'small-cache',
  count: 2,
  run: async (stage, index) => {
    const { draw } = stage;
    await stage.server();
    const cache = index % 2 === 0 ? false : { memory: { maxEntries: 2, maxBytes: 4_000 } };
    const client = stage.client({ cache });
    for (let call = 0; call < 10; call += 1) await stage.describe(`call ${call}`, client, stage.image(draw.int(1, 3)));
  },
};

/** Redis is named, and nobody listens there. */
const away: Family = {
  name: 'redis-away',
  count: 4,
  run: async (stage) => {
    const { draw } = stage;
    await stage.server({ latency: { distribution: 'fixed', ms: 100 } });
    const client = stage.client({ redis: 'redis://127.0.0.1:1', cache: { defaultTTL: 60, maxRetries: 1 } });
    for (let call = 0; call < 8; call += 1) {
      const options = { tags: ['all'], cache: draw.pick(MODES) };
      await stage.describe(`call ${call}`, client, stage.image(draw.int(1, 3)), options);
      if (draw.bool(0.2)) await stage.settle(stage.start(`tags ${call}`, () => client.invalidateTags(['all'])));
      if (draw.bool(0.3)) await stage.advance(draw.int(100, 5_000));
    }
  },
};

/** Two clients share a Redis. Time is the system's: nothing here waits for it. */
const shared: Family = {
  name: 'redis',
  count: 8,
  time: 'system',
  run: async (stage, index) => {
    const { draw } = stage;
    await stage.server();
    const redis = await stage.redisUrl();
    const cache = {
      keyPrefix: `journal-${index}:`,
      operationTimeoutMs: 20_000,
      tagTrustMs: 600_000,
      memory: draw.bool(0.5) ? {} : { ttlSeconds: 0.001 },
    };
    const clients = ['one', 'two'].map((name) => stage.client({ redis, cache }, name));
    for (let step = 0; step < 16; step += 1) {
      await stage.advance(0);
      const client = draw.pick(clients);
      const who = client === clients[0] ? 'one' : 'two';
      const act = draw.int(1, 8);
      const image = stage.image(draw.int(1, 3));
      if (act <= 6) {
        const cacheMode = draw.pick(['default', 'default', 'default', ...MODES] as const);
        const options = { tags: [draw.pick(['red', 'blue'])], cache: cacheMode };
        await stage.describe(`${who} ${step}`, client, image, options);
      } else if (act === 7) {
        await stage.settle(stage.start(`${who} tags ${step}`, () => client.invalidateTags(['red'])));
      } else await stage.settle(stage.start(`${who} drops ${step}`, () => client.invalidate(image)));
    }
  },
};

export const CACHE: readonly Family[] = [modes, stale, tags, small, away, shared];
