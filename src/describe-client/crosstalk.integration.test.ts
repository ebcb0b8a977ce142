import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whenConnected } from '../redis-cache/when-connected.fixture.ts';
import { createTestImage, type RedisServer, startRedisServer } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import {
  contentOf,
  describeAll,
  type Heard,
  QUESTIONS_A_SCOPE,
  type Role,
  SHARED_SCOPES,
} from './crosstalk.fixture.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import type { DescribeRequest } from './options/describe-request.ts';
import { type Arrived, type Body, completion, type RawReply, startRawApi } from './raw-api.fixture.ts';

const KEYS = ['sk-1', 'sk-2', 'sk-3', 'sk-4'] as const;
const fixture = fileURLToPath(new URL('./crosstalk.fixture.ts', import.meta.url));

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

const keyOf = ({ headers }: Arrived): string => headers.authorization?.replace('Bearer ', '') ?? '';

interface Part {
  readonly text?: string;
  readonly detail?: string;
  readonly image_url?: string | { readonly url: string; readonly detail: string };
}

interface Message {
  readonly role: string;
  readonly content: string | readonly Part[];
}

interface Format {
  readonly name?: string;
  readonly json_schema?: { readonly name: string };
}

/** The question of a request of chat or responses, and whether it wants JSON. */
function questionOf({ messages, input, instructions, text, response_format, model, temperature, seed }: Body) {
  const said = (messages ?? input) as readonly Message[];
  const parts = said.flatMap(({ content }) => (typeof content === 'string' ? [] : content));
  const image = parts.find(({ image_url }) => image_url !== undefined);
  const { url, detail } =
    typeof image?.image_url === 'object' ? image.image_url : { url: image?.image_url, detail: image?.detail };
  const format = (response_format ?? (text as { readonly format?: Format } | undefined)?.format) as Format | undefined;
  const schema = format?.json_schema ?? (format?.name === undefined ? undefined : format);
  const question = {
    model,
    prompt: parts.find((part) => part.text !== undefined)?.text,
    system: instructions ?? said.find(({ role }) => role === 'system')?.content,
    detail,
    temperature,
    extraBody: seed === undefined ? undefined : { seed },
    schema,
  } as DescribeRequest;
  return { wantsJson: schema !== undefined, question, image: Buffer.from(url?.split(',')[1] ?? '', 'base64') };
}

/** Answers with everything of the request that decides an answer, and the key that it came with. */
function echo(arrived: Arrived): RawReply {
  if (arrived.body === undefined) return { body: { object: 'list', data: [] } };
  const { wantsJson, question, image } = questionOf(arrived.body);
  const text = `${contentOf(question, image)} for ${keyOf(arrived)}`;
  const content = wantsJson ? JSON.stringify({ text }) : text;
  return { body: arrived.url.endsWith('/responses') ? response(content) : completion(content) };
}

const response = (text: string) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'm',
  output: [
    { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] },
  ],
  usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
});

/** Slow enough for calls of all clients to meet. */
const slowEcho = async (arrived: Arrived): Promise<RawReply> => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return echo(arrived);
};

/** A busy machine must not end a wait for Redis or for another's answer. */
const PATIENT = { operationTimeoutMs: 10_000, leaseMs: 60_000 } as const;

const roleOf = (baseURL: string, keyPrefix: string, index: number, options: DescribeClientOptions = {}): Role => ({
  options: {
    apiKey: KEYS[index],
    baseURL,
    redis: redis.url,
    cache: { keyPrefix, ...PATIENT },
    attemptTimeoutMs: 60_000,
    retry: false,
    // Both APIs give the same descriptions, and so share them.
    api: index % 2 === 0 ? 'chat' : 'responses',
    ...options,
  },
  ownScope: `own-${index}`,
  seed: index,
});

const textOf = ({ description }: Heard): string =>
  description.startsWith('{') ? (JSON.parse(description) as { text: string }).text : description;

/** No answer is another question's; in a scope of its own, none was made for another key. */
function expectNoCrosstalk(heard: readonly Heard[], key: string): void {
  for (const one of heard) {
    const [question, answeredKey] = textOf(one).split(' for ');
    expect(question).toBe(one.question);
    if (one.scope.startsWith('own-')) expect(answeredKey).toBe(key);
  }
}

/** How many different answers there are to each question of the shared scopes. */
const sharedAnswers = (heard: readonly Heard[]): number =>
  new Set(heard.filter(({ scope }) => !scope.startsWith('own-')).map((one) => `${one.scope}: ${textOf(one)}`)).size;

const fromUpstream = (heard: readonly Heard[]) => heard.filter(({ source }) => source === 'upstream').length;

const SHARED = SHARED_SCOPES.length * QUESTIONS_A_SCOPE;

async function runProcess(role: Role) {
  const child = spawn(process.execPath, [fixture, JSON.stringify(role)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const finish = async (): Promise<{ first: readonly Heard[]; again: readonly Heard[] }> => {
    child.stdin.write('go\n');
    const [{ value }] = await Promise.all([lines.next(), once(child, 'exit')]);
    return JSON.parse(value ?? '');
  };
  return finish;
}

describe('four processes on one Redis', () => {
  it('share each answer that may be shared, and no other', async () => {
    await using api = await startRawApi(slowEcho);
    const roles = KEYS.map((_, index) => roleOf(api.baseURL, 'processes:', index));
    const processes = await Promise.all(roles.map(runProcess));
    const heard = await Promise.all(processes.map((finish) => finish()));
    for (const [index, { first, again }] of heard.entries()) {
      expectNoCrosstalk([...first, ...again], KEYS[index] ?? '');
      // From Redis where memory is no longer trusted: Redis has every description.
      expect(again.filter(({ source }) => source !== 'memory' && source !== 'redis')).toEqual([]);
    }
    const first = heard.flatMap((one) => one.first);
    expect(sharedAnswers(first)).toBe(SHARED);
    // Every shared question was asked by one process, every other one by each.
    expect(api.bodies()).toHaveLength(SHARED + KEYS.length * QUESTIONS_A_SCOPE);
    expect(fromUpstream(first)).toBe(api.bodies().length);
    expect(new Set(api.seen.filter(({ body }) => body).map(({ url }) => url))).toEqual(
      new Set(['/v1/chat/completions', '/v1/responses']),
    );
    // Nobody is told the usage of another's call.
    expect(first.reduce((sum, { promptTokens }) => sum + promptTokens, 0)).toBe(10 * api.bodies().length);
  });
});

describe('two clients in one process', () => {
  const clients: DescribeClient[] = [];
  const bothOf = async (roles: readonly Role[]) => {
    clients.push(...roles.map(({ options }) => createDescribeClient(options)));
    try {
      await whenConnected(...clients.flatMap(({ cache }) => (cache?.getStats().redis === undefined ? [] : [cache])));
      const heard = await Promise.all(roles.map((role, index) => describeAll(clients[index] as DescribeClient, role)));
      for (const [index, one] of heard.entries()) expectNoCrosstalk(one, KEYS[index] ?? '');
      return heard.flat();
    } finally {
      for (const client of clients.splice(0)) await client.close();
    }
  };

  it('on one Redis share each answer that may be shared, and no other', async () => {
    await using api = await startRawApi(slowEcho);
    const heard = await bothOf([roleOf(api.baseURL, 'clients:', 0), roleOf(api.baseURL, 'clients:', 1)]);
    expect(sharedAnswers(heard)).toBe(SHARED);
    expect(api.bodies()).toHaveLength(SHARED + 2 * QUESTIONS_A_SCOPE);
    expect(fromUpstream(heard)).toBe(api.bodies().length);
  });

  it.each([
    ['prefixes', (index: number): DescribeClientOptions => ({ cache: { keyPrefix: `apart-${index}:`, ...PATIENT } })],
    ['memories', (): DescribeClientOptions => ({ redis: undefined, cache: {} })],
  ])('of their own %s share nothing', async (_, options) => {
    await using api = await startRawApi(slowEcho);
    const heard = await bothOf([0, 1].map((index) => roleOf(api.baseURL, 'apart:', index, options(index))));
    expect(sharedAnswers(heard)).toBe(2 * SHARED);
    expect(api.bodies()).toHaveLength(2 * (SHARED + QUESTIONS_A_SCOPE));
  });

  it.each([
    ['401', { status: 401, body: { error: { message: 'no such key', code: 'invalid_api_key' } } }],
    ['429 of its quota', { status: 429, body: { error: { message: 'no money', code: 'insufficient_quota' } } }],
    ['500', { status: 500, body: { error: { message: 'oops', type: 'server_error' } } }],
  ])('keep the failures of one key (%s) from the other', async (_, failure) => {
    await using api = await startRawApi((arrived) => (keyOf(arrived) === 'sk-1' ? failure : echo(arrived)));
    const [bad, good] = [0, 1].map((index) =>
      createDescribeClient(
        roleOf(api.baseURL, `failures-${failure.status}:`, index, {
          circuitBreaker: { failureThreshold: 2 },
          limits: { requestsPerMinute: 100_000 },
        }).options,
      ),
    ) as [DescribeClient, DescribeClient];
    for (let seed = 0; seed < 4; seed += 1) {
      await expect(bad.describe(createTestImage({ seed }))).rejects.toBeInstanceOf(Error);
    }
    for (let seed = 0; seed < 4; seed += 1) {
      expect((await good.describe(createTestImage({ seed }))).source).toBe('upstream');
    }
    const { pools, breakers } = good.stats();
    expect(pools['default']?.keyRefused).toBe(false);
    expect(Object.values(breakers)).toMatchObject([{ state: 'CLOSED', totals: { failed: 0 } }]);
    expect((await good.health()).status).toBe('healthy');
    await Promise.all([bad.close(), good.close()]);
  });
});
