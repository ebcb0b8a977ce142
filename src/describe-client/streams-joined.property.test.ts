import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sleep } from '../internal/async/signals.ts';
import { ManualClock } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { image } from './fake-api.fixture.ts';
import { completion } from './raw-api.fixture.ts';
import { chunk, end } from './streamed-api.fixture.ts';
import { stubPool } from './stub-pool.fixture.ts';

const WORDS = ['A ', 'small ', 'red ', 'square, ', 'alone.'];
/** Each answer has a text of its own. */
const wordsOf = (request: number) => [`${request} `, ...WORDS];
const DELTA_MS = 10;

interface Sent {
  readonly prompt: string;
  readonly isStream: boolean;
  outcome: 'running' | 'whole' | 'failed' | 'aborted';
  delivered: number;
}

/** An API without a network: one word each 10 ms. A request may fail after some words. */
function fakeApi(clock: ManualClock, failures: readonly (number | undefined)[]) {
  const sent: Sent[] = [];
  async function* words(record: Sent, failsAt: number | undefined, signal: AbortSignal) {
    const own = wordsOf(sent.indexOf(record));
    try {
      for (const [index, word] of own.entries()) {
        await sleep(DELTA_MS, { clock, signal });
        if (index === failsAt) throw Object.assign(new Error('busy'), { status: 503, error: { message: 'busy' } });
        record.delivered += 1;
        yield chunk(word);
      }
      yield end();
      record.outcome = 'whole';
    } finally {
      if (record.outcome === 'running') record.outcome = signal.aborted ? 'aborted' : 'failed';
    }
  }
  const create = (body: Record<string, unknown>, { signal }: { signal: AbortSignal }) => {
    const [message] = body['messages'] as { content: { text: string }[] }[];
    const isStream = body['stream'] === true;
    const record: Sent = { prompt: message?.content[0]?.text ?? '', isStream, outcome: 'running', delivered: 0 };
    const stream = words(record, failures[sent.push(record) - 1], signal);
    const withResponse = async () => {
      const response = new Response(null, { headers: { 'content-type': 'text/event-stream' } });
      if (isStream) return { data: stream, response };
      let text = '';
      for await (const { choices } of stream as AsyncIterable<{ choices: { delta: { content?: string } }[] }>)
        text += choices[0]?.delta.content ?? '';
      return { data: completion(text), response };
    };
    return { withResponse };
  };
  return { sent, pool: stubPool(create) };
}

const caller = fc.record({
  kind: fc.constantFrom('stream', 'stream', 'describe'),
  prompt: fc.constantFrom('p0', 'p1'),
  startMs: fc.nat(80),
  abortsAfterMs: fc.option(fc.nat(80), { nil: undefined }),
  leavesAfter: fc.option(fc.nat(WORDS.length), { nil: undefined }),
});
type Caller = typeof caller extends fc.Arbitrary<infer Value> ? Value : never;

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeEach(() => void process.on('unhandledRejection', note));
afterEach(() => void process.off('unhandledRejection', note));

interface Heard {
  readonly caller: Caller;
  readonly deltas: string[];
  /** The description, or the error. */
  result: unknown;
  /** Whether the iteration ended by itself, without an error. */
  isThrough: boolean;
}

async function run(callers: readonly Caller[], failures: readonly (number | undefined)[], cache: boolean) {
  const clock = new ManualClock();
  const { sent, pool } = fakeApi(clock, failures);
  const client = createDescribeClient({
    apiKey: 'k',
    baseURL: 'https://api.example.com/v1',
    clock,
    pool: () => pool,
    circuitBreaker: false,
    retry: { maxAttempts: 2, initialDelayMs: 1, maxDelayMs: 1, budget: false },
    ...(cache ? {} : { cache: false }),
  });
  const heard = callers.map((each): Heard => ({ caller: each, deltas: [], result: undefined, isThrough: false }));
  const calls = heard.map(async (each) => {
    const { kind, prompt, startMs, abortsAfterMs, leavesAfter } = each.caller;
    await sleep(startMs, { clock });
    const controller = new AbortController();
    if (abortsAfterMs !== undefined) void sleep(abortsAfterMs, { clock }).then(() => controller.abort('aborted'));
    const request = { image, prompt, signal: controller.signal };
    if (kind === 'describe') {
      each.result = await client.describe(request).then(
        ({ description }) => description,
        (error: unknown) => error,
      );
      return;
    }
    const stream = client.stream(request);
    try {
      if (leavesAfter !== 0) for await (const delta of stream) if (each.deltas.push(delta) === leavesAfter) break;
      each.isThrough = each.deltas.length !== leavesAfter;
    } catch {}
    each.result = await stream.result.then(
      ({ description }) => description,
      (error: unknown) => error,
    );
  });
  const all = Promise.all(calls);
  await clock.advance(2_000);
  await all;
  await client.close();
  return { heard, sent, clock };
}

it('joined streams give each caller the whole text, and end what nobody wants', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(caller, { minLength: 1, maxLength: 6 }),
      fc.array(fc.option(fc.nat(WORDS.length - 1), { nil: undefined }), { maxLength: 4 }),
      fc.boolean(),
      async (callers, failures, cache) => {
        const { heard, sent, clock } = await run(callers, failures, cache);
        for (const { caller: each, deltas, result, isThrough } of heard) {
          // Deltas are never mixed from two answers.
          const text = deltas.join('');
          expect(sent.some((_, index) => wordsOf(index).join('').startsWith(text))).toBe(
            text !== '' || sent.length > 0,
          );
          if (isThrough) expect(text).toBe(result);
          if (typeof result === 'string' && result !== 'aborted') expect(result.slice(2)).toBe(WORDS.join(''));
          // What was delivered is the beginning of the result, or the call failed.
          if (typeof result === 'string' && result !== 'aborted') expect(result.startsWith(text)).toBe(true);
          if (result === 'aborted') expect(each.abortsAfterMs).toBeDefined();
        }
        for (const prompt of ['p0', 'p1']) {
          const own = sent.filter((one) => one.prompt === prompt);
          expect(own.filter(({ outcome }) => outcome === 'running')).toEqual([]);
          // Without an abort and a failure, one request serves all callers of its time.
          const callsOf = heard.filter(({ caller: each }) => each.prompt === prompt);
          if (cache && failures.every((one) => one === undefined) && callsOf.every(isPatient)) {
            expect(own).toHaveLength(Math.min(1, callsOf.length));
          }
        }
        expect(clock.pendingTimers).toBe(0);
        expect(unhandled).toEqual([]);
      },
    ),
    { seed: 15, numRuns: 150 },
  );
}, 60_000);

const isPatient = ({ caller: { abortsAfterMs, leavesAfter } }: Heard) =>
  abortsAfterMs === undefined && leavesAfter === undefined;
