import { fork } from 'node:child_process';
import { once } from 'node:events';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import OpenAI from 'openai';
import { createDescribeClient } from '../src/index.ts';
import { createTestImage } from '../src/testing/index.ts';
import { defineSuite } from './harness/index.ts';
import { hasAiSdk, hasLangChain, loadAiSdk, loadLangChain, missingPeers } from './peers/load-peers.ts';

const IN_FLIGHT = 32;
const CALLS = 8;

/** Default client and ours against one server in a process of its own. Every call has an image that was never seen. */
async function setup(server = './openai-transport-server.ts') {
  const child = fork(new URL(server, import.meta.url), { execArgv: [] });
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
  return { child, client, ours, nextImage, ...peers(options) };
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

const paramsOf = (image: Buffer) => ({
  model: 'gpt-4.1-mini',
  max_completion_tokens: 300,
  messages: [
    {
      role: 'user' as const,
      content: [
        { type: 'text' as const, text: 'Describe this image.' },
        {
          type: 'image_url' as const,
          image_url: { url: `data:image/png;base64,${image.toString('base64')}`, detail: 'low' as const },
        },
      ],
    },
  ],
});

/** The large peers, each loaded and made in the process that measures it, at its first call. */
function peers(options: { readonly apiKey: string; readonly baseURL: string }) {
  const aiSdk = lazy(async () => {
    const { createOpenAI, generateText } = await loadAiSdk();
    return { model: createOpenAI(options).chat('gpt-4.1-mini'), generateText };
  });
  const langChain = lazy(async () => {
    const { ChatOpenAI } = await loadLangChain();
    const { apiKey, baseURL } = options;
    return new ChatOpenAI({ model: 'gpt-4.1-mini', apiKey, configuration: { baseURL }, maxTokens: 300 });
  });
  return { aiSdk, langChain };
}

function lazy<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const generated = async ({ aiSdk, nextImage }: Context) => {
  const { model, generateText } = await aiSdk();
  const content = [
    { type: 'text', text: 'Describe this image.' },
    { type: 'image', image: nextImage(), mediaType: 'image/png' },
  ];
  const { text } = await generateText({ model, maxOutputTokens: 300, messages: [{ role: 'user', content }] });
  return text;
};

const invoked = async ({ langChain, nextImage }: Context) => {
  const { content } = await (await langChain()).invoke(paramsOf(nextImage()).messages);
  return content as string;
};

const bare = async ({ client, nextImage }: Context) => {
  const { choices } = await client.chat.completions.create(paramsOf(nextImage()));
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

/** The text of a stream of the default client, and when its first delta came. */
async function bareStream({ client, nextImage }: Context) {
  const startedAtMs = performance.now();
  let firstMs: number | undefined;
  let text = '';
  const params = { ...paramsOf(nextImage()), stream: true as const, stream_options: { include_usage: true } };
  for await (const { choices } of await client.chat.completions.create(params)) {
    const delta = choices[0]?.delta.content;
    if (!delta) continue;
    firstMs ??= performance.now() - startedAtMs;
    text += delta;
  }
  return { text, firstMs };
}

async function describedStream({ ours, nextImage }: Context) {
  const startedAtMs = performance.now();
  let firstMs: number | undefined;
  let text = '';
  const stream = ours.stream(nextImage());
  for await (const delta of stream) {
    firstMs ??= performance.now() - startedAtMs;
    text += delta;
  }
  const { description } = await stream.result;
  return { text: description === text ? text : '', firstMs };
}

type Streamed = typeof describedStream;

const STREAMED_TEXT = 'A tabby cat sleeps on a wooden chair beside a window, and rain runs down the glass. '.repeat(5);

const streamsInFlight = (context: Context, stream: Streamed) =>
  inFlight(async () => ((await stream(context)).text === STREAMED_TEXT ? 'A cat on a chair.' : ''));

/** The median time to the first delta, of streams one after another. */
async function firstDelta(context: Context, stream: Streamed): Promise<{ readonly value: number }> {
  const times: number[] = [];
  for (let index = 0; index < 60; index += 1) times.push((await stream(context)).firstMs ?? Number.NaN);
  return { value: times.sort((left, right) => left - right)[times.length / 2] ?? Number.NaN };
}

const stream = defineSuite<Context>({
  name: `describe client: a stream at ${IN_FLIGHT} in flight`,
  baseline: 'default client',
  setup: () => setup('./stream-server.ts'),
  teardown,
  rounds: 15,
  sliceMs: 400,
  contenders: {
    'default client': {
      operations: IN_FLIGHT * CALLS,
      run: (context) => streamsInFlight(context, bareStream),
    },
    stream: {
      operations: IN_FLIGHT * CALLS,
      run: (context) => streamsInFlight(context, describedStream),
    },
  },
  verify: (result) => result === IN_FLIGHT * CALLS,
  gates: { stream: { maxCpuRatio: 0.7 } },
});

const firstDeltas = defineSuite<Context>({
  name: 'describe client: the first delta of a stream (ms)',
  baseline: 'default client',
  setup: () => setup('./stream-server.ts'),
  teardown,
  rounds: 15,
  contenders: {
    'default client': { sample: (context) => firstDelta(context, bareStream) },
    stream: { sample: (context) => firstDelta(context, describedStream) },
  },
  gates: { stream: 1 },
});

export const suites = [
  stream,
  firstDeltas,
  defineSuite<Context>({
    name: `describe client: a miss at ${IN_FLIGHT} in flight`,
    baseline: 'default client',
    setup: () => setup(),
    teardown,
    rounds: 15,
    sliceMs: 400,
    contenders: {
      'default client': {
        operations: IN_FLIGHT * CALLS,
        run: (context) => inFlight(() => bare(context)),
      },
      ...(hasAiSdk && {
        'AI SDK': {
          operations: IN_FLIGHT * CALLS,
          run: (context: Context) => inFlight(() => generated(context)),
        },
      }),
      ...(hasLangChain && {
        "LangChain's client": {
          operations: IN_FLIGHT * CALLS,
          run: (context: Context) => inFlight(() => invoked(context)),
        },
      }),
      describe: {
        operations: IN_FLIGHT * CALLS,
        run: (context) => inFlight(() => described(context)),
      },
    },
    leftOut: { ...missingPeers, BullMQ: 'this package has no queue of its own to put beside it' },
    verify: (result) => result === IN_FLIGHT * CALLS,
    // 1.4 times the throughput is 1 / 1.4 of the time.
    gates: { describe: { maxRatio: 1 / 1.4, maxCpuRatio: 0.65 } },
  }),
  hit,
];
