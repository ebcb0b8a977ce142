import type OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import type { DescribeError } from '../errors/describe-error.ts';
import { FAILURE_SAMPLES } from '../errors/failure-samples.fixture.ts';
import type { OpenAIConnectionPool } from '../openai/index.ts';
import { createTestImage, ManualClock } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';

/**
 * The stages of a client over pools whose every request fails. Their behaviour is compared with each column of the
 * table.
 */
const clients: DescribeClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.destroy('the test is over')));
});

/** A pool whose requests fail after they were sent, or before. */
const failingPool = (fail: () => Promise<never>, whenSent: boolean) =>
  ({
    use: async (run: (client: OpenAI) => Promise<unknown>) =>
      whenSent ? run({ chat: { completions: { create: () => ({ withResponse: fail }) } } } as never) : fail(),
    warmUp: async () => {},
    getStats: () => ({ maxSize: 4, size: 0, available: 0, pending: 0 }),
    close: async () => {},
    destroy: async () => {},
  }) as unknown as OpenAIConnectionPool;

interface Setup extends DescribeClientOptions {
  readonly makeError: () => DescribeError;
  readonly whenSent?: boolean;
}

const startFailing = ({ makeError, whenSent = true, ...options }: Setup) => {
  const clock = new ManualClock();
  const asked: string[] = [];
  const client = createDescribeClient({
    ...(options.endpoints === undefined ? { apiKey: 'key' } : {}),
    redis: undefined,
    clock,
    retry: false,
    ...options,
    pool: ({ name }) =>
      failingPool(async () => {
        asked.push(name);
        throw makeError();
      }, whenSent),
  });
  clients.push(client);
  const describeAll = async (count = 1): Promise<PromiseSettledResult<unknown>[]> => {
    const image = createTestImage();
    const all = Promise.allSettled(Array.from({ length: count }, () => client.describe({ image })));
    await clock.advance(1_000);
    return all;
  };
  return { client, asked, describeAll };
};

const twoEndpoints = [
  { name: 'first', apiKey: 'a', weight: 1000 },
  { name: 'second', apiKey: 'b', weight: 0.001 },
];

describe.each(FAILURE_SAMPLES)('a client meets $name as the table of failures says', ({ row, makeError }) => {
  const isRetried = row.isRetried && makeError().retryable;

  it('and retries it, or not', async () => {
    const { asked, describeAll } = startFailing({
      makeError,
      retry: { maxAttempts: 2, initialDelayMs: 1, maxDelayMs: 1 },
      circuitBreaker: false,
    });
    await describeAll();
    expect(asked).toHaveLength(isRetried ? 2 : 1);
  });

  it('and retries it by the rules of its kind, or not', async () => {
    const { asked, describeAll } = startFailing({
      makeError,
      retry: {
        maxAttempts: 1,
        initialDelayMs: 1,
        policies: isRetried ? { [row.kind]: { maxAttempts: 3 } } : {},
      },
      circuitBreaker: false,
    });
    await describeAll();
    // With twice the limit there is one more answer, and no third one.
    expect(asked).toHaveLength(isRetried ? (row.raisesLimit ? 2 : 3) : 1);
  });

  it('and its breaker counts it, or not', async () => {
    const { client, describeAll } = startFailing({ makeError, circuitBreaker: { failureThreshold: 1 } });
    await describeAll();
    expect(Object.values(client.breakers).map(({ state }) => state)).toEqual([
      row.countsForBreaker ? 'OPEN' : 'CLOSED',
    ]);
  });

  it('and falls back, or not', async () => {
    const { describeAll } = startFailing({ makeError, fallback: [() => 'from the fallback'] });
    const [outcome] = await describeAll();
    expect(outcome?.status).toBe(row.fallsBack ? 'fulfilled' : 'rejected');
  });

  it.each([true, false])('and moves on to another endpoint, or not (sent: %s)', async (whenSent) => {
    const { asked, describeAll } = startFailing({ makeError, whenSent, endpoints: twoEndpoints });
    await describeAll();
    const moves = row.moves === 'always' || (row.moves === 'unsent' && !whenSent);
    expect(asked).toHaveLength(moves ? 2 : 1);
  });

  it('and a joined call asks for itself, or not', async () => {
    const { asked, describeAll } = startFailing({ makeError, circuitBreaker: false, cache: false });
    await describeAll(2);
    expect(asked.length > 1).toBe(isRetried || row.joinedCallAsks);
  });

  it('and its story names the scope', async () => {
    const { describeAll } = startFailing({ makeError });
    const [outcome] = await describeAll();
    const { explain } = (outcome as PromiseRejectedResult).reason as DescribeError;
    expect(explain?.attempts).toMatchObject([{ scope: row.scope }]);
  });
});
