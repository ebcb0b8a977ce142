import {
  createDescribeClient,
  type DescribeClient,
  type DescribeClientOptions,
  DescribeError,
} from '../../src/index.ts';
import { createTestImage } from '../../src/testing/index.ts';
import { type Counts, changeOf, countsOf } from './effects.ts';
import { FALLBACK_TEXT, type Outcome } from './outcome.ts';
import type { Target } from './target.ts';

/** How the image is sent: alone, beside another one in a pack, or as a stream. */
export type CallForm = 'single' | 'pack' | 'stream';

/** What an outcome does, a text for each part. */
export interface Effects {
  /** What the caller gets. */
  readonly ends: string;
  readonly breaker: string;
  readonly quota: string;
  readonly pool: string;
  readonly cache: string;
  readonly retry: string;
  readonly fallback: string;
  readonly monitor: string;
  readonly bill: string;
}

const image = createTestImage({ seed: 1, width: 64, height: 48 });
/** The other image of a pack, which nothing is wrong with. */
const otherImage = createTestImage({ seed: 2, width: 64, height: 48 });
const thirdImage = createTestImage({ seed: 3, width: 64, height: 48 });

const CODE = /^DESCRIBE_/;
const REASON = new Error('the caller left');

/** How one call ended, and the tokens that it was told of. */
interface Ended {
  readonly text: string;
  readonly tokens: number;
}

const ended = async (
  call: Promise<{ source: string; truncated?: true; usage?: { totalTokens: number } }>,
): Promise<Ended> => {
  try {
    const { source, truncated, usage } = await call;
    const described = truncated ? 'described in part' : 'described';
    return { text: source === 'upstream' ? described : source, tokens: usage?.totalTokens ?? 0 };
  } catch (error) {
    if (error === REASON) return { text: "the signal's reason", tokens: 0 };
    if (!DescribeError.is(error)) throw error;
    return { text: error.code, tokens: error.usage?.totalTokens ?? 0 };
  }
};

async function streamed(client: DescribeClient, request: Outcome['request']): Promise<Ended> {
  const stream = client.stream(image, request);
  let deltas = 0;
  try {
    for await (const _delta of stream) deltas += 1;
  } catch {
    // `result` rejects with the same.
  }
  const { text, tokens } = await ended(stream.result);
  return { text: CODE.test(text) && deltas > 0 ? `${text}, after a part` : text, tokens };
}

async function pack(client: DescribeClient, request: Outcome['request']): Promise<Ended> {
  const calls = [image, otherImage].map((one) => ended(client.describe(one, request)));
  const [own, other] = (await Promise.all(calls)) as [Ended, Ended];
  return {
    text: own.text === other.text ? `${own.text}, both` : `${own.text}; the other image: ${other.text}`,
    tokens: own.tokens + other.tokens,
  };
}

const runForm = (form: CallForm, client: DescribeClient, request: Outcome['request']): Promise<Ended> =>
  form === 'stream'
    ? streamed(client, request)
    : form === 'pack'
      ? pack(client, request)
      : ended(client.describe(image, request));

interface Run {
  readonly outcome: Outcome;
  readonly form: CallForm;
  readonly openTarget: () => Promise<Target>;
  readonly options: DescribeClientOptions;
}

interface Observed {
  readonly end: Ended;
  readonly change: Counts;
  readonly opensAnother: boolean;
}

async function observe({ outcome, form, openTarget, options }: Run): Promise<Observed> {
  await using target = await openTarget();
  const { setting, request = {} } = outcome;
  const client = createDescribeClient({
    apiKey: target.apiKey,
    baseURL: target.baseURL,
    pool: { min: 0, max: 1 },
    retry: { maxAttempts: 2, initialDelayMs: 1, maxDelayMs: 1 },
    ...(form === 'pack' ? { batch: { batchSize: 2, maxBatchWaitMs: 100 } } : {}),
    ...options,
    ...outcome.options,
  });
  try {
    const end = new AbortController();
    if (setting === 'open breaker') {
      await client.describe(thirdImage);
      for (const breaker of Object.values(client.breakers)) breaker.open();
    }
    await target.arm(outcome, image);
    const held = setting === 'full' ? client.describe(thirdImage, { signal: end.signal }) : undefined;
    held?.catch(() => {});
    if (held !== undefined) await until(() => target.requests() > 0);
    const before = await countsOf(client, target);
    const signal = setting === 'abort' ? { signal: end.signal } : {};
    const call = runForm(form, client, { ...request, ...signal });
    if (setting === 'abort') {
      await until(() => target.requests() > 0);
      end.abort(REASON);
    }
    const how = await call;
    const change = changeOf(await countsOf(client, target), before);
    end.abort();
    await target.calm();
    return { end: how, change, opensAnother: await opensAnother(client) };
  } finally {
    await client.destroy();
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Whether the next request needs a new connection: the outcome closed the old one. */
async function opensAnother(client: DescribeClient): Promise<boolean> {
  const [pool] = Object.values(client.pools);
  const opened = () => pool?.getStats().connections.opened;
  const before = opened();
  await pool?.use((api) => api.models.list({ timeout: 30_000 }));
  return opened() !== before;
}

const listed = (counts: Readonly<Record<string, number>>, none: string): string => {
  const parts = Object.entries(counts).filter(([, count]) => count !== 0);
  if (parts.length === 0) return none;
  return parts.map(([name, count]) => (count === 1 ? name : `${count} × ${name}`)).join(', ');
};

/** Runs an outcome twice: as it is, and with a fallback. */
export async function effectsOf(run: Run): Promise<Effects> {
  const { end, change, opensAnother: isClosed } = await observe(run);
  const options: DescribeClientOptions = { ...run.options, fallback: [() => FALLBACK_TEXT] };
  const { end: withFallback } = await observe({ ...run, options });
  const { breaker, quota, retry, monitor, cache, pool, server } = change;
  const { descriptions = 0, failures = 0, describe_errors: errors = 0, tokens = 0 } = monitor;
  const { stopped = 0, ...permits } = quota;
  return {
    ends: end.text,
    breaker: listed(breaker, 'nothing'),
    quota: listed({ ...permits, stopped }, 'nothing'),
    pool: pool.requests === 0 ? 'no request' : isClosed ? 'closed' : 'kept',
    cache: listed(cache, 'nothing'),
    retry: (retry['calls'] ?? 0) === 0 ? 'nothing' : listed({ retry: retry['retries'] ?? 0 }, 'no retry'),
    fallback: /fallback/.test(withFallback.text) ? withFallback.text.replace('fallback', 'yes') : 'no',
    monitor: listed({ description: descriptions, failure: failures, error: errors }, 'nothing'),
    bill: billOf(server, end.tokens, tokens),
  };
}

/** The answers that were billed, and whether caller and monitor were told of their tokens. */
function billOf({ answers, tokens }: Counts['server'], told: number, counted: number): string {
  const parts = [listed({ answer: answers }, 'nothing')];
  if (told !== tokens) parts.push(told === 0 ? 'not told' : `told ${told} of ${tokens} tokens`);
  if (counted !== told) parts.push(`the monitor counts ${counted}`);
  return parts.join(', ');
}
