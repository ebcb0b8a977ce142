import { createDescribeClient } from '@describe-it/sdk';
import { defineBench, type ServiceUrls } from '../define-bench.ts';

const HITS = 20;
const IN_FLIGHT = 16;
const CALLS = 1;

/** The answer of the gate's server to every request. */
const ANSWER = 'A cat on a chair.';

/** A picture of one pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const setup = ({ openai = '' }: ServiceUrls, connections: number) => {
  const client = createDescribeClient({
    apiKey: 'sk-bench',
    baseURL: openai,
    pool: { min: connections, max: connections },
  });
  let images = 0;
  const nextImage = () => {
    images += 1;
    // Bytes after the end of the picture, which no decoder reads, make the content another one.
    return Buffer.concat([PNG, Buffer.from(String(images))]);
  };
  return { client, nextImage };
};

export const benches = [
  defineBench({
    name: 'describe client: a hit in memory',
    needs: ['openai'],
    operations: HITS,
    setup: async (services) => {
      const context = setup(services, 1);
      const request = { image: context.nextImage(), prompt: 'What is on it?' };
      await context.client.describe(request);
      return { ...context, request };
    },
    run: async ({ client, request }) => {
      let good = 0;
      for (let index = 0; index < HITS; index += 1) {
        const { description, source } = await client.describe(request);
        if (description === ANSWER && source === 'memory') good += 1;
      }
      return good;
    },
    verify: (good) => good === HITS,
    count: ({ client }) => client.stats().cache?.memoryHits ?? 0,
    teardown: ({ client }) => client.destroy(),
  }),
  defineBench({
    name: `describe client: a miss at ${IN_FLIGHT} in flight`,
    needs: ['openai'],
    clock: 'wall',
    operations: IN_FLIGHT * CALLS,
    setup: async (services) => {
      const context = setup(services, IN_FLIGHT);
      await context.client.warmUp();
      return context;
    },
    run: async ({ client, nextImage }) => {
      const lane = async () => {
        let good = 0;
        for (let index = 0; index < CALLS; index += 1) {
          const { description, source } = await client.describe(nextImage());
          if (description === ANSWER && source === 'upstream') good += 1;
        }
        return good;
      };
      const lanes = await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
      return lanes.reduce((sum, good) => sum + good, 0);
    },
    verify: (good) => good === IN_FLIGHT * CALLS,
    count: ({ client }) => client.stats().calls.succeeded,
    teardown: ({ client }) => client.destroy(),
  }),
];
