import { fork } from 'node:child_process';
import { once } from 'node:events';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import OpenAI from 'openai';
import { createDescribeClient } from '../src/index.ts';
import { createTestImage } from '../src/testing/index.ts';
import { defineSuite } from './harness/index.ts';

const IN_FLIGHT = 32;
const CALLS = 8;

/** Default client and ours against one server in a process of its own. Every call has an image that was never seen. */
async function setup() {
  const child = fork(new URL('./openai-transport-server.ts', import.meta.url), { execArgv: [] });
  const [address] = (await once(child, 'message')) as [{ port: number }];
  const options = { apiKey: 'sk-bench', baseURL: `http://127.0.0.1:${address.port}/v1` };
  const client = new OpenAI(options);
  const ours = createDescribeClient({ ...options, pool: { min: IN_FLIGHT, max: IN_FLIGHT } });
  await ours.warmUp();
  const image = createTestImage({ width: 16, height: 16 });
  let count = 0;
  const nextImage = () => {
    count += 1;
    const next = Buffer.from(image);
    // Bytes after the end of the picture, which no decoder reads, change the content but not the picture.
    return Buffer.concat([next, Buffer.from(String(count))]);
  };
  return { child, client, ours, nextImage };
}

type Context = Awaited<ReturnType<typeof setup>>;

async function teardown({ child, ours }: Context) {
  await ours.destroy();
  child.disconnect();
  await once(child, 'exit');
}

async function inFlight(call: () => Promise<string | null | undefined>): Promise<number> {
  const lane = async () => {
    let good = 0;
    for (let index = 0; index < CALLS; index += 1) if ((await call()) === 'A cat on a chair.') good += 1;
    return good;
  };
  const lanes = await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return lanes.reduce((sum, good) => sum + good, 0);
}

const bare = async ({ client, nextImage }: Context) => {
  const url = `data:image/png;base64,${nextImage().toString('base64')}`;
  const { choices } = await client.chat.completions.create({
    model: 'gpt-4.1-mini',
    max_completion_tokens: 300,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Describe this image.' },
          { type: 'image_url', image_url: { url, detail: 'low' } },
        ],
      },
    ],
  });
  return choices[0]?.message.content;
};

const described = async ({ ours, nextImage }: Context) => {
  const { description, source } = await ours.describe(nextImage());
  return source === 'upstream' ? description : source;
};

/** One image and prompt, described once, so that later calls are hits in memory; bentocache holds the same result. */
async function setupHit() {
  const context = await setup();
  const request = { image: context.nextImage(), prompt: 'What is on it?' };
  const result = await context.ours.describe(request);
  const bento = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 1_000, serialize: false })) },
  });
  const fromBento = () => bento.getOrSet({ key: 'key', factory: () => result, ttl: '1h' });
  await fromBento();
  return { ...context, request, bento, fromBento };
}

type HitContext = Awaited<ReturnType<typeof setupHit>>;

const hit = defineSuite<HitContext>({
  name: 'describe client: a hit in memory',
  baseline: 'bentocache getOrSet, not serialised',
  setup: setupHit,
  teardown: async (context) => {
    await context.bento.disconnectAll();
    await teardown(context);
  },
  contenders: {
    'bentocache getOrSet, not serialised': ({ fromBento }) => fromBento(),
    describe: ({ ours, request }) => ours.describe(request),
  },
  verify: (result) => (result as { readonly description: string }).description === 'A cat on a chair.',
  gates: { describe: { maxRatio: 3 } },
});

export const suites = [
  defineSuite<Context>({
    name: `describe client: a miss at ${IN_FLIGHT} in flight`,
    baseline: 'default client',
    setup,
    teardown,
    rounds: 15,
    sliceMs: 400,
    contenders: {
      'default client': {
        operations: IN_FLIGHT * CALLS,
        run: (context) => inFlight(() => bare(context)),
      },
      describe: {
        operations: IN_FLIGHT * CALLS,
        run: (context) => inFlight(() => described(context)),
      },
    },
    verify: (result) => result === IN_FLIGHT * CALLS,
    // 1.4 times the throughput is 1 / 1.4 of the time.
    gates: { describe: { maxRatio: 1 / 1.4, maxCpuRatio: 0.65 } },
  }),
  hit,
];
