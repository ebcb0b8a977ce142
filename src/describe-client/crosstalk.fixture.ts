// Run by crosstalk.integration.test.ts as a process of its own, which also imports what both of them need.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../internal/clock.ts';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import type { DescribeRequest } from './options/describe-request.ts';

/** Everything that one client gets, as JSON. */
export interface Role {
  readonly options: DescribeClientOptions;
  /** The `cacheScope` that this role shares with nobody. */
  readonly ownScope: string;
  /** Decides the order of the calls. */
  readonly seed: number;
}

/** One call of a role and what it got. */
export interface Heard {
  /** The question without its scope. */
  readonly question: string;
  readonly scope: string;
  readonly description: string;
  readonly source: string;
  readonly promptTokens: number;
}

const LETTERS = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as const;

/** One question, and others that differ from it in one field that decides the answer. */
const QUESTIONS: readonly DescribeRequest[] = [
  {},
  { model: 'gpt-4.1-nano' },
  { prompt: 'Which animal is it?' },
  { system: 'Answer in French.' },
  { detail: 'high' },
  { temperature: 0.5 },
  { extraBody: { seed: 7 } },
  { schema: { name: 'letters', jsonSchema: LETTERS } },
  { schema: { name: 'other_letters', jsonSchema: LETTERS } },
];
const IMAGES = [1, 2].map((seed) => createTestImage({ seed, width: 16, height: 16 }));
/** Shared by all: no scope, and one that all of them name. */
export const SHARED_SCOPES = ['', 'team'] as const;

export const QUESTIONS_A_SCOPE = QUESTIONS.length * IMAGES.length;

/** The content of an answer, which tells everything that decided it. The key comes last. */
export const contentOf = (
  { model = 'gpt-4.1-mini', prompt = 'Describe this image.', system, detail = 'low', ...rest }: DescribeRequest,
  image: Uint8Array,
): string => {
  const { temperature, extraBody, schema } = rest;
  const name = schema !== undefined && 'name' in schema ? schema.name : undefined;
  const hash = createHash('sha256').update(image).digest('hex').slice(0, 8);
  return JSON.stringify([model, prompt, system ?? '', detail, temperature ?? '', extraBody ?? {}, name, hash]);
};

/** Describes every image by every question in every scope, all at once, in an order of its own. */
export async function describeAll(client: DescribeClient, { ownScope, seed }: Role): Promise<readonly Heard[]> {
  const calls = [...SHARED_SCOPES, ownScope].flatMap((scope) =>
    QUESTIONS.flatMap((question) => IMAGES.map((image) => ({ scope, question, image }))),
  );
  const placeOf = (index: number) => createHash('sha256').update(`${seed}/${index}`).digest('hex');
  const order = calls.map((call, index) => ({ call, place: placeOf(index) }));
  order.sort((left, right) => (left.place < right.place ? -1 : 1));
  return Promise.all(
    order.map(async ({ call: { scope, question, image } }) => {
      const request = { ...question, image, ...(scope === '' ? {} : { cacheScope: scope }) };
      const { description, source, usage } = await client.describe(request);
      const promptTokens = usage?.promptTokens ?? 0;
      return { question: contentOf(question, image), scope, description, source, promptTokens };
    }),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const role: Role = JSON.parse(process.argv[2] ?? '');
  await using client = createDescribeClient(role.options);
  // Operations themselves wait only 500 ms for Redis, which four processes that start at once may need.
  while (client.cache?.health().redis?.state !== 'ready') {
    await client.cache?.has('nothing');
    await new Promise<void>((resolve) => void systemClock.setTimeout(resolve, 10));
  }
  process.stdout.write('ready\n');
  await once(process.stdin, 'data');
  const first = await describeAll(client, role);
  const again = await describeAll(client, role);
  process.stdout.write(`${JSON.stringify({ first, again })}\n`);
  process.stdin.unref();
}
