// A miss of `describe()` in a process that also runs the stock client, and the AI SDK where it is installed, in
// alternating rounds. An application seldom has one HTTP client alone, and V8 compiles shared code for all of them.
// Prints CPU and throughput of each against the stock client.
//   node bench/alternating-clients.ts [rounds, default 8] [calls a round, default 3000]
//   AI_SDK=<folder whose node_modules has `ai` and `@ai-sdk/openai`> node bench/alternating-clients.ts
import { fork } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import OpenAI from 'openai';
import { createDescribeClient } from '../src/index.ts';
import { median } from './harness/statistics.ts';

const rounds = Number(process.argv[2] ?? 8);
const calls = Number(process.argv[3] ?? 3_000);
const IN_FLIGHT = 32;
/** Rounds that compile the code and are not counted. */
const WARM_ROUNDS = 2;
const ANSWER = 'A cat on a chair.';
const MODEL = 'gpt-4.1-mini';
const PROMPT = 'Describe this image.';

type Call = (imageUrl: string) => Promise<string | null | undefined>;

interface Sample {
  readonly cpuUs: number;
  readonly wallUs: number;
}

const child = fork(new URL('./openai-transport-server.ts', import.meta.url), { execArgv: [] });
const [address] = (await once(child, 'message')) as [{ port: number }];
// By a public name: a client of an API in the own network downloads the images itself.
const lookUp = dns.lookup as unknown as (...given: unknown[]) => void;
Object.assign(dns, { lookup: (_host: string, ...rest: unknown[]) => lookUp('127.0.0.1', ...rest) });
const options = { apiKey: 'sk-bench', baseURL: `http://api.example.com:${address.port}/v1` };

const stock = new OpenAI(options);
const ours = createDescribeClient({ ...options, pool: { min: IN_FLIGHT, max: IN_FLIGHT } });
await ours.warmUp();

const contenders = new Map<string, Call>([
  [
    'stock client',
    async (url) => {
      const { choices } = await stock.chat.completions.create({
        model: MODEL,
        max_completion_tokens: 300,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: PROMPT },
              { type: 'image_url', image_url: { url, detail: 'low' } },
            ],
          },
        ],
      });
      return choices[0]?.message.content;
    },
  ],
  ...(await aiSdk()),
  ['describe', async (imageUrl) => (await ours.describe({ imageUrl, prompt: PROMPT })).description],
]);

/** The AI SDK is no dependency of this package. It is measured only where it is installed. */
async function aiSdk(): Promise<readonly (readonly [string, Call])[]> {
  const folder = process.env['AI_SDK'];
  if (folder === undefined) return [];
  const require = createRequire(join(folder, 'package.json'));
  const load = async (name: string) => import(pathToFileURL(require.resolve(name)).href);
  const [{ generateText }, { createOpenAI }] = await Promise.all([load('ai'), load('@ai-sdk/openai')]);
  const model = createOpenAI(options).chat(MODEL);
  const call: Call = async (url) => {
    const content = [
      { type: 'text', text: PROMPT },
      { type: 'image', image: new URL(url) },
    ];
    const { text } = await generateText({ model, maxOutputTokens: 300, messages: [{ role: 'user', content }] });
    return text;
  };
  return [['AI SDK', call]];
}

let images = 0;

async function round(call: Call): Promise<Sample> {
  const cpu = process.cpuUsage();
  const startedAt = process.hrtime.bigint();
  let started = 0;
  const lane = async () => {
    while (started < calls) {
      started += 1;
      images += 1;
      const text = await call(`https://images.example.com/${images}.jpg`);
      if (text !== ANSWER) throw new Error(`answered ${text}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  const wallUs = Number(process.hrtime.bigint() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { cpuUs: (user + system) / calls, wallUs: wallUs / calls };
}

const samples = new Map<string, Sample[]>([...contenders.keys()].map((name) => [name, []]));
for (let index = 0; index < WARM_ROUNDS + rounds; index += 1) {
  for (const [name, call] of contenders) {
    const sample = await round(call);
    if (index >= WARM_ROUNDS) samples.get(name)?.push(sample);
  }
}

const of = (name: string, field: keyof Sample) => median((samples.get(name) ?? []).map((sample) => sample[field]));
for (const name of contenders.keys()) {
  const cpu = of(name, 'cpuUs');
  const wall = of(name, 'wallUs');
  console.log(
    `${name.padEnd(14)} ${cpu.toFixed(0).padStart(5)} µs CPU a call (${(cpu / of('stock client', 'cpuUs')).toFixed(2)}×), ` +
      `${(1e6 / wall).toFixed(0).padStart(6)} calls a second (${(of('stock client', 'wallUs') / wall).toFixed(2)}×)`,
  );
}
await ours.destroy();
child.disconnect();
