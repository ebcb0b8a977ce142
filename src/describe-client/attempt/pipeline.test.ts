import { getEventListeners } from 'node:events';
import type OpenAI from 'openai';
import type { ChatCompletion } from 'openai/resources/chat/completions';
import { describe, expect, it } from 'vitest';
import { CircuitOpenError } from '../../errors/circuit-open-error.ts';
import { PoolCreateError, PoolTimeoutError } from '../../errors/pool-error.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import { chatExchange } from '../../openai/exchange/chat-exchange.ts';
import { EndpointDialect } from '../../openai/exchange/request-dialect.ts';
import { modelCatalog } from '../../openai/models/model-catalog.ts';
import { RetryPolicy } from '../../retry/index.ts';
import { QuotaLimiter, Router } from '../../routing/index.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { countsForBreaker, isWorthAnotherAttempt } from './attempt-failure.ts';
import { CallTrace } from './call-trace.ts';
import { makeSend } from './pipeline.ts';
import type { EndpointTarget, RetryTally } from './stage.ts';

const ANSWER = { choices: [{ message: { content: 'a cat' } }] };

type Respond = (signal: AbortSignal) => Promise<unknown>;

const untilAborted: Respond = (signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('Request was aborted.')), { once: true });
  });

const apiError = (status: number, code?: string) => Object.assign(new Error('refused'), { status, code });

/** Sends to a client that responds by hand, and records what the breaker sees. */
const pipelineOver = (respond: Respond, { waitForLease = Promise.resolve(), maxAttempts = 1 } = {}) => {
  const clock = new ManualClock();
  const news = { count: 0 };
  const seenByBreaker: { readonly counts: boolean; readonly error: unknown }[] = [];
  const breaker = {
    fire: async (run: (signal: AbortSignal | undefined) => Promise<unknown>) => {
      try {
        return await run(undefined);
      } catch (error) {
        seenByBreaker.push({ counts: countsForBreaker(error), error });
        throw error;
      }
    },
  };
  const router = new Router<EndpointTarget>({
    clock,
    quotas: () => new QuotaLimiter({ name: 'default', clock }),
    endpoints: [
      {
        name: 'default',
        target: {
          connections: {
            use: async (run, { signal }) => {
              await Promise.race([waitForLease, untilAborted(signal)]);
              const create = (_request: unknown, { signal: own }: { signal: AbortSignal }) => ({
                withResponse: async () => ({ data: await respond(own), response: { headers: {} } }),
              });
              return run({ chat: { completions: { create } } } as unknown as OpenAI);
            },
          },
          address: 'https://api.example',
          secrets: [],
          dialect: new EndpointDialect({
            dialect: 'auto',
            exchange: chatExchange,
            extraBody: undefined,
            catalog: modelCatalog,
            clock,
          }),
          breakers: { of: () => breaker },
        },
      },
    ],
  });
  const sendRequest = makeSend(
    {
      catalog: modelCatalog,
      retry: new RetryPolicy({ clock, maxAttempts, random: () => 0 }),
      attemptTimeoutMs: 1000,
      clock,
      metrics: { attemptEnded: () => {} },
      priceOf: () => undefined,
      onLimitNews: () => {
        news.count += 1;
      },
    },
    router,
  );
  const trace = new CallTrace(clock);
  const waits = { begun: 0 };
  const send = (
    signal: AbortSignal = new AbortController().signal,
    timeoutMs = 10_000,
    retries: readonly RetryTally[] = [],
  ) => {
    const sent = sendRequest({ model: 'm', messages: [] }, (completion) => completion as ChatCompletion, {
      signal,
      priority: 0,
      tokens: 1,
      timeoutMs,
      deadlineAtMs: clock.now() + timeoutMs,
      trace,
      waits: () => {
        waits.begun += 1;
        return trace.waits();
      },
      retries,
    });
    sent.catch(() => {});
    return sent;
  };
  return { clock, news, send, seenByBreaker, trace, waits };
};

describe('the stages of an attempt', () => {
  it('waits again when a limit has refused it, so that it may join others without a retry', async () => {
    const { send, waits } = pipelineOver(() => Promise.reject(apiError(429)));
    await send().catch(() => {});
    expect(waits.begun).toBe(2);
  });

  it('retries for the call of a pack that has had the fewest retries: others used up theirs without it', async () => {
    let calls = 0;
    const respond: Respond = async () => {
      calls += 1;
      if (calls < 3) throw apiError(503);
      return ANSWER;
    };
    const { send, clock } = pipelineOver(respond, { maxAttempts: 3 });
    const tallies = [{ made: 2 }, { made: 0 }];
    const sent = send(undefined, undefined, tallies);
    await clock.advance(5000);
    await expect(sent).resolves.toBe(ANSWER);
    expect(tallies).toEqual([{ made: 4 }, { made: 2 }]);
  });

  it.each<[string, Respond]>([
    ['an answer', async () => ANSWER],
    ['a bad image', () => Promise.reject(apiError(400, 'invalid_image'))],
    ['an outage', () => Promise.reject(apiError(503))],
  ])('waits no more once it has %s: the calls that wait may be ended to join a pack', async (_what, respond) => {
    const { send, waits } = pipelineOver(respond);
    await send().catch(() => {});
    expect(waits.begun).toBe(1);
  });

  it.each<[what: string, count: number, respond: Respond]>([
    ['an answer', 1, async () => ANSWER],
    ['a refusal by a limit', 1, () => Promise.reject(apiError(429))],
    ['a bad image', 0, () => Promise.reject(apiError(400, 'invalid_image'))],
    ['an outage', 0, () => Promise.reject(apiError(503))],
  ])('%s brings news of the limits %i times', async (_what, count, respond) => {
    const { send, news } = pipelineOver(respond);
    await send().catch(() => {});
    expect(news.count).toBe(count);
  });

  it('ends a hanging attempt after attemptTimeoutMs, as an outage, and tries again', async () => {
    let calls = 0;
    const { send, clock, seenByBreaker, trace } = pipelineOver(
      (signal) => {
        calls += 1;
        return calls === 1 ? untilAborted(signal) : Promise.resolve(ANSWER);
      },
      { maxAttempts: 2 },
    );
    const sent = send();
    await clock.advance(5000);
    await expect(sent).resolves.toBe(ANSWER);
    expect(seenByBreaker).toMatchObject([{ counts: true, error: { code: 'DESCRIBE_TIMEOUT', timeoutMs: 1000 } }]);
    expect(trace.explain().attempts.map(({ outcome }) => outcome)).toEqual(['failure', 'success']);
    expect(clock.pendingTimers).toBe(0);
  });

  it("rejects with the caller's reason, and is neutral for the breaker", async () => {
    const { send, clock, seenByBreaker } = pipelineOver(untilAborted);
    const controller = new AbortController();
    const sent = send(controller.signal);
    await clock.advance(100);
    const reason = { why: 'enough' };
    controller.abort(reason);
    await expect(sent).rejects.toBe(reason);
    expect(seenByBreaker.map(({ counts }) => counts)).toEqual([false]);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes a deadline that the API used up for an outage', async () => {
    const { send, clock, seenByBreaker } = pipelineOver(untilAborted);
    const controller = new AbortController();
    const sent = send(controller.signal, 800);
    await clock.advance(800);
    controller.abort(new TimeoutError('the call', 800));
    await expect(sent).rejects.toMatchObject({ code: 'DESCRIBE_TIMEOUT', timeoutMs: 800 });
    expect(seenByBreaker.map(({ counts }) => counts)).toEqual([true]);
  });

  it('takes a deadline that passed in our own queue for nothing', async () => {
    const { send, clock, seenByBreaker } = pipelineOver(untilAborted, { waitForLease: new Promise(() => {}) });
    const controller = new AbortController();
    const sent = send(controller.signal, 800);
    await clock.advance(800);
    controller.abort(new TimeoutError('the call', 800));
    await expect(sent).rejects.toMatchObject({ code: 'DESCRIBE_TIMEOUT' });
    expect(seenByBreaker.map(({ counts }) => counts)).toEqual([false]);
  });

  it.each([null, [], {}, 5])('leaves it to its reader that an answer has no choices: %j', async (answer) => {
    const { send } = pipelineOver(() => Promise.resolve(answer));
    await expect(send()).resolves.toEqual({});
  });

  it.each(['a page', undefined])('takes an answer that is no JSON for an outage: %j', async (answer) => {
    const { send, seenByBreaker } = pipelineOver(() => Promise.resolve(answer));
    await expect(send()).rejects.toMatchObject({ code: 'DESCRIBE_RESPONSE_INVALID' });
    expect(seenByBreaker.map(({ counts }) => counts)).toEqual([true]);
  });

  it('does not wait for what this process refused itself', () => {
    expect(isWorthAnotherAttempt(new CircuitOpenError('b', 10))).toBe(false);
    expect(isWorthAnotherAttempt(new PoolTimeoutError('p', 10))).toBe(false);
    expect(isWorthAnotherAttempt(new PoolCreateError('p', 'x'))).toBe(true);
  });

  it.each([
    [{ status: 500 }, true],
    [{ status: 503 }, true],
    [{ status: 429 }, false],
    [{ status: 429, code: 'insufficient_quota' }, false],
    [{ status: 401 }, false],
    [{ status: 400, code: 'invalid_image' }, false],
    [{ status: 404 }, false],
    [{ code: 'ECONNRESET' }, true],
  ])('classifies %o before the breaker sees it: counts %s', async (fields, counts) => {
    const { send, seenByBreaker } = pipelineOver(() => Promise.reject(Object.assign(new Error('x'), fields)));
    await expect(send()).rejects.toMatchObject({ code: expect.stringMatching(/^DESCRIBE_/) });
    expect(seenByBreaker.map((seen) => seen.counts)).toEqual([counts]);
  });
});
