import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sleep } from '../internal/async/signals.ts';
import { ManualClock } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { image } from './fake-api.fixture.ts';
import { completion } from './raw-api.fixture.ts';
import { stubPool } from './stub-pool.fixture.ts';

const WORDS = ['A ', 'small ', 'red ', 'square.'];
const ANSWER_MS = 20;
/** Tokens after which the text is whole. */
const ENOUGH = WORDS.length;

/** An API without a network, whose tokens are words. It answers after 20 ms. */
function fakeApi(clock: ManualClock) {
  const limits: number[] = [];
  const create = (body: { max_completion_tokens: number }, { signal }: { signal: AbortSignal }) => ({
    withResponse: async () => {
      const limit = body.max_completion_tokens;
      limits.push(limit);
      await sleep(ANSWER_MS, { clock, signal });
      const text = WORDS.slice(0, limit).join('');
      const data = completion(text, { finish_reason: limit < ENOUGH ? 'length' : 'stop' });
      return { data, response: new Response(null) };
    },
  });
  return { limits, pool: stubPool(create) };
}

const caller = fc.record({
  onTruncated: fc.constantFrom('reject', 'return'),
  maxOutputTokens: fc.integer({ min: 1, max: ENOUGH + 1 }),
  cache: fc.constantFrom('default', 'default', 'no-store', 'reload'),
  startMs: fc.nat(3 * ANSWER_MS),
});
type Caller = typeof caller extends fc.Arbitrary<infer Value> ? Value : never;

async function run(callers: readonly Caller[], cache: boolean) {
  const clock = new ManualClock();
  const { limits, pool } = fakeApi(clock);
  const client = createDescribeClient({
    ...{ apiKey: 'k', baseURL: 'https://api.example.com/v1', clock, pool: () => pool },
    ...(cache ? {} : { cache: false }),
  });
  const calls = callers.map(async ({ startMs, ...request }) => {
    await sleep(startMs, { clock });
    return client.describe({ image, ...request });
  });
  const all = Promise.allSettled(calls);
  await clock.advance(2_000);
  const ends = await all;
  const left = await client.describe({ image, cache: 'only-if-cached' }).catch(() => undefined);
  await client.close();
  return { ends, limits, left, clock };
}

it('each of many calls gets the longest text that its limit allows, or the error, and no part is cached', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(caller, { minLength: 1, maxLength: 8 }), fc.boolean(), async (callers, cache) => {
      const { ends, limits, left, clock } = await run(callers, cache);
      for (const [index, end] of ends.entries()) {
        const { onTruncated, maxOutputTokens } = callers[index] as Caller;
        if (end.status === 'rejected') {
          expect(end.reason).toMatchObject({ code: 'DESCRIBE_OUTPUT_TRUNCATED' });
          expect(onTruncated).toBe('reject');
          expect(maxOutputTokens).toBeLessThan(ENOUGH);
          continue;
        }
        const { description, truncated, source, usage } = end.value;
        const words = description.split(' ').length - (truncated ? 1 : 0);
        if (truncated) {
          expect(onTruncated).toBe('return');
          expect(words).toBeGreaterThanOrEqual(maxOutputTokens);
          expect(['upstream', 'shared']).toContain(source);
          if (source === 'shared') expect(usage).toBeUndefined();
        } else expect(description).toBe(WORDS.join(''));
      }
      // Each request is on behalf of one call: none asks twice.
      expect(limits.length).toBeLessThanOrEqual(callers.length);
      expect([undefined, WORDS.join('')]).toContain(left?.description);
      expect(clock.pendingTimers).toBe(0);
    }),
    { seed: 15, numRuns: 300 },
  );
}, 60_000);
