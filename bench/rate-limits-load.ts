import OpenAI from 'openai';
import pLimit from 'p-limit';
import { createDescribeClient } from '../src/index.ts';
import { createTestImage } from '../src/testing/index.ts';
import { TOKENS_PER_CALL } from './rate-limits-scenarios.ts';

/** The task of a load process. */
export interface LoadTask {
  readonly contender: 'ours' | 'theirs';
  readonly baseURL: string;
  readonly apiKeys: readonly string[];
  readonly seconds: number;
  /** Calls before this time do not count. */
  readonly settledSeconds: number;
  readonly concurrency: number;
  readonly redisUrl: string | undefined;
  /** First of its images. */
  readonly seed: number;
}

/** The outcomes of the calls. */
export interface Tally {
  /** Calls that succeeded in the counted time. */
  readonly done: number;
  /** Calls that failed at any time. */
  readonly failed: number;
}

export const tallyOf = (tallies: readonly Tally[]): Tally => ({
  done: tallies.reduce((sum, { done }) => sum + done, 0),
  failed: tallies.reduce((sum, { failed }) => sum + failed, 0),
});

const SIDE_PX = 16;

type Ask = (image: Uint8Array) => Promise<unknown>;

function ours({ baseURL, apiKeys, concurrency, redisUrl }: LoadTask): Ask {
  const client = createDescribeClient({
    endpoints: apiKeys.map((apiKey) => ({ apiKey, baseURL })),
    maxOutputTokens: TOKENS_PER_CALL,
    pool: { max: concurrency },
    ...(redisUrl === undefined ? {} : { redis: redisUrl }),
  });
  return (image) => client.describe(image);
}

/** Round robin over the keys, as one writes it by hand. */
function theirs({ baseURL, apiKeys }: LoadTask): Ask {
  const clients = apiKeys.map((apiKey) => new OpenAI({ apiKey, baseURL }));
  let turn = 0;
  return (image) => {
    const client = clients[turn % clients.length];
    turn += 1;
    const url = `data:image/png;base64,${Buffer.from(image).toString('base64')}`;
    return (client as OpenAI).chat.completions.create({
      model: 'gpt-4.1-mini',
      max_completion_tokens: TOKENS_PER_CALL,
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
  };
}

/** Keeps `concurrency` calls going until the time is up; new ones begin only before that. */
async function work(task: LoadTask): Promise<Tally> {
  const { contender, seconds, settledSeconds, concurrency, seed } = task;
  const ask = contender === 'ours' ? ours(task) : theirs(task);
  const startedAtMs = performance.now();
  const elapsed = () => (performance.now() - startedAtMs) / 1000;
  let done = 0;
  let failed = 0;
  let next = seed;
  const one = async () => {
    const image = createTestImage({ seed: next, width: SIDE_PX, height: SIDE_PX });
    next += 1;
    try {
      await ask(image);
      if (elapsed() >= settledSeconds && elapsed() < seconds) done += 1;
    } catch {
      failed += 1;
    }
  };
  const limit = pLimit(concurrency);
  const queued = new Set<Promise<void>>();
  while (elapsed() < seconds) {
    const call = limit(one).finally(() => queued.delete(call));
    queued.add(call);
    if (queued.size >= 2 * concurrency) await Promise.race(queued);
  }
  return { done, failed };
}

const [task] = process.argv.slice(2);
if (process.send !== undefined && task !== undefined) {
  process.send('begins');
  process.send(await work(JSON.parse(task) as LoadTask), () => process.exit(0));
}
