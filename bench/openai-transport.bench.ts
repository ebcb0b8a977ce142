import { fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import OpenAI from 'openai';
import { InlineBytes } from '../src/http/encoding/encode-json.ts';
import { encodeRequest } from '../src/openai/exchange/encode-request.ts';
import { OpenAIConnectionPool } from '../src/openai/index.ts';
import { defineSuite } from './harness/index.ts';

const IN_FLIGHT = 32;
const CALLS = 8;
const IMAGE_BYTES = 5 * 1024 * 1024;
const IMAGES = 12;
const IMAGES_IN_FLIGHT = 4;

const params = {
  model: 'gpt-4.1-mini',
  messages: [{ role: 'user' as const, content: 'What is in this image? Answer in one sentence, please.' }],
  max_completion_tokens: 300,
};

/** Default client and pooled client against one server in a process of its own. */
async function setup() {
  const child = fork(new URL('./openai-transport-server.ts', import.meta.url), { execArgv: [] });
  const [address] = (await once(child, 'message')) as [{ port: number }];
  const baseURL = `http://127.0.0.1:${address.port}/v1`;
  const client = new OpenAI({ apiKey: 'sk-bench', baseURL, maxRetries: 0 });
  const pool = new OpenAIConnectionPool('sk-bench', baseURL, { min: IN_FLIGHT, max: IN_FLIGHT });
  await pool.warmUp();
  return { child, client, pool, image: Buffer.alloc(IMAGE_BYTES, 'some bytes of an image') };
}

type Context = Awaited<ReturnType<typeof setup>>;

async function teardown({ child, pool }: Context) {
  await pool.destroy();
  child.disconnect();
  await once(child, 'exit');
}

type Call = () => Promise<{
  readonly choices: readonly { readonly message: { readonly content: string | null } }[];
}>;

async function inFlight(width: number, calls: number, call: Call): Promise<number> {
  const lane = async () => {
    let good = 0;
    for (let index = 0; index < calls; index += 1) {
      const answer = await call();
      if (answer.choices[0]?.message.content === 'A cat on a chair.') good += 1;
    }
    return good;
  };
  const lanes = await Promise.all(Array.from({ length: width }, lane));
  return lanes.reduce((sum, good) => sum + good, 0);
}

const imageMessage = (url: string) => ({
  ...params,
  messages: [
    {
      role: 'user' as const,
      content: [
        { type: 'text' as const, text: 'What is this?' },
        { type: 'image_url' as const, image_url: { url, detail: 'low' as const } },
      ],
    },
  ],
});

/** The p99 of the event loop's delay, in milliseconds, while large images are sent. */
async function loopDelay(call: Call): Promise<{ readonly value: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const good = await inFlight(IMAGES_IN_FLIGHT, IMAGES / IMAGES_IN_FLIGHT, call);
  delay.disable();
  if (good !== IMAGES) throw new Error(`${good} of ${IMAGES} images were answered`);
  return { value: delay.percentile(99) / 1e6 };
}

const defaultImage = ({ client, image }: Context) =>
  client.chat.completions.create(imageMessage(`data:image/png;base64,${image.toString('base64')}`));

const pooledImage = async ({ pool, image }: Context) => {
  const message = imageMessage(new InlineBytes(image, 'image/png') as unknown as string);
  const encoded = await encodeRequest(message);
  return pool.use((client) => client.chat.completions.create(message, encoded));
};

export const suites = [
  defineSuite<Context>({
    name: `connection pool: a call at ${IN_FLIGHT} in flight`,
    baseline: 'default client',
    setup,
    teardown,
    rounds: 15,
    sliceMs: 250,
    contenders: {
      'default client': {
        operations: IN_FLIGHT * CALLS,
        run: ({ client }) => inFlight(IN_FLIGHT, CALLS, () => client.chat.completions.create(params)),
      },
      'pooled client': {
        operations: IN_FLIGHT * CALLS,
        run: ({ pool }) =>
          inFlight(IN_FLIGHT, CALLS, () => pool.use((pooled) => pooled.chat.completions.create(params))),
      },
    },
    verify: (result) => result === IN_FLIGHT * CALLS,
    gates: { 'pooled client': { maxRatio: 1, maxCpuRatio: 0.55 } },
  }),
  defineSuite<Context>({
    name: 'connection pool: event-loop delay p99 with 5 MB images (ms)',
    baseline: 'default client',
    setup,
    teardown,
    rounds: 9,
    contenders: {
      'default client': { sample: (context) => loopDelay(() => defaultImage(context)) },
      'pooled client': { sample: (context) => loopDelay(() => pooledImage(context)) },
    },
    gates: { 'pooled client': 0.3 },
  }),
];
