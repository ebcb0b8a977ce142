import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../errors/index.ts';
import type { LoadedImage } from '../../image/index.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import { modelCatalog } from '../../openai/models/model-catalog.ts';
import type { LimitPressure, QuotaPressure } from '../../routing/limits/limit-pressure.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { NormalisedRequest } from '../options/request-spec.ts';
import { PackingAdvisor } from '../packing/packing-advisor.ts';
import { packingCost, packRulesOf } from '../packing/packing-cost.ts';
import { CallTrace } from './call-trace.ts';
import { askAsAdvised } from './packing-choice.ts';
import type { Answer, AskVision } from './vision-asker.ts';

const IMAGE: LoadedImage = { kind: 'url', url: 'https://images.test/1.jpg' };

const requestOf = (prompt = 'Describe this image.', model = 'gpt-4.1-mini') =>
  ({
    prompt,
    model,
    detail: 'low',
    maxOutputTokens: 300,
    priority: 0,
    timeoutMs: 60_000,
  }) as NormalisedRequest;

const FREE: LimitPressure = { perMinute: undefined, usedRatio: 0, isLow: true, isThrottled: false };
const REQUESTS_SHORT = { requests: { perMinute: 60, usedRatio: 1, isLow: true, isThrottled: false }, tokens: FREE };
const TOKENS_SHORT = { requests: FREE, tokens: { perMinute: 100_000, usedRatio: 1, isLow: true, isThrottled: false } };

const answer = (description: string): Answer => ({ description, model: 'm' });

/** A single call is queued until the test lets it go. It then stays on the wire until the test answers. */
function choice(mode: 'auto' | 'always', options: { readonly singly?: AskVision } = {}) {
  const clock = new ManualClock();
  const pressures = new Map<string, QuotaPressure>();
  const advisor = new PackingAdvisor(clock, (model) => pressures.get(model) ?? { requests: FREE, tokens: FREE });
  const asked: string[] = [];
  const gates = { line: new Deferred<void>(), wire: new Deferred<void>() };
  const singly: AskVision = async (_image, _request, { signal }, trace, waits = () => trace.waits()) => {
    asked.push('singly');
    const end = waits();
    try {
      await raceSignal(gates.line.promise, signal);
    } finally {
      end();
    }
    await raceSignal(gates.wire.promise, signal);
    return answer('singly');
  };
  const ask = askAsAdvised({
    singly: options.singly ?? singly,
    packed: async (_image, _request, { signal }) => {
      asked.push('packed');
      signal.throwIfAborted();
      return answer('packed');
    },
    advisor,
    mode,
    rules: packRulesOf({}),
    catalog: modelCatalog,
    clock,
  });
  const controller = new AbortController();
  const call = (request = requestOf(), timeLeftMs = 60_000) =>
    ask(
      IMAGE,
      request,
      { signal: controller.signal, deadlineAtMs: clock.now() + timeLeftMs },
      new CallTrace(clock),
    ).then(
      ({ description }) => description,
      (error: unknown) => error,
    );
  const letGo = () => {
    gates.line.resolve();
    gates.wire.resolve();
  };
  const short = (pressure: QuotaPressure, model = 'gpt-4.1-mini') => {
    pressures.set(model, pressure);
    advisor.heard(model);
  };
  return { clock, advisor, asked, gates, controller, call, letGo, short };
}

describe("with 'auto'", () => {
  it('goes alone while nothing is short, and in a pack when requests are', async () => {
    const { call, letGo, short } = choice('auto');
    letGo();
    expect(await call()).toBe('singly');
    short(REQUESTS_SHORT);
    expect(await call()).toBe('packed');
    expect(await call(requestOf(undefined, 'gpt-4.1'))).toBe('singly');
  });

  it('goes alone when tokens are short, but for a long prompt that a pack pays for once', async () => {
    const { call, letGo, short } = choice('auto');
    letGo();
    short(TOKENS_SHORT, 'gpt-4o');
    expect(await call(requestOf('Describe this image.', 'gpt-4o'))).toBe('singly');
    expect(await call(requestOf('word '.repeat(8_000), 'gpt-4o'))).toBe('packed');
  });

  it('joins a pack from the queue when requests become short', async () => {
    const { clock, asked, call, short } = choice('auto');
    const calls = Promise.all([call(), call(), call()]);
    await clock.flush();
    expect(asked).toEqual(['singly', 'singly', 'singly']);
    short(REQUESTS_SHORT);
    expect(await calls).toEqual(['packed', 'packed', 'packed']);
  });

  it('joins a pack when its own wait in the queue is what tells that requests are short', async () => {
    const { clock, advisor, call, short } = choice('auto');
    const bucketOfASecond = { perMinute: 60, usedRatio: 0.02, isLow: true, isThrottled: false };
    short({ requests: bucketOfASecond, tokens: FREE });
    const waits = call();
    await clock.advance(1_000);
    advisor.waited('gpt-4.1-mini', 1_000);
    expect(await waits).toBe('packed');
  });

  it('stays alone once it is sent', async () => {
    const { clock, gates, call, short } = choice('auto');
    const sent = call();
    gates.line.resolve();
    await clock.flush();
    short(REQUESTS_SHORT);
    await clock.flush();
    gates.wire.resolve();
    expect(await sent).toBe('singly');
  });

  it('rejects with the reason of its caller, whatever is short', async () => {
    const { clock, controller, asked, call, short } = choice('auto');
    const waits = call();
    await clock.flush();
    controller.abort('enough');
    short(REQUESTS_SHORT);
    expect(await waits).toBe('enough');
    expect(asked).toEqual(['singly']);
  });
});

describe('with batch options', () => {
  it('goes in a pack, but for when tokens are short and a pack saves none', async () => {
    const { call, letGo, short } = choice('always');
    letGo();
    expect(await call()).toBe('packed');
    short(TOKENS_SHORT);
    expect(await call()).toBe('singly');
    short({ requests: FREE, tokens: FREE });
    expect(await call()).toBe('packed');
  });
});

describe.each(['auto', 'always'] as const)('with %s', (mode) => {
  it('goes alone with less time than twice the wait for a pack', async () => {
    const { call, letGo, short } = choice(mode);
    letGo();
    short(REQUESTS_SHORT);
    expect(await call(undefined, 399)).toBe('singly');
    expect(await call(undefined, 400)).toBe('packed');
  });

  it('stays in the queue with too little time left for a pack', async () => {
    const { clock, asked, call, letGo, short } = choice(mode);
    const waits = call(undefined, 399);
    short(REQUESTS_SHORT);
    await clock.flush();
    expect(asked).toEqual(['singly']);
    letGo();
    expect(await waits).toBe('singly');
  });
});

describe('a call alone that fails', () => {
  const throttle = new UpstreamError('DESCRIBE_RATE_LIMITED', 'too fast', { retryable: true, status: 429 });

  it('by a limit of requests is asked about again in a pack', async () => {
    let short = () => {};
    const made = choice('auto', {
      singly: async () => {
        short();
        throw throttle;
      },
    });
    short = () => made.short(REQUESTS_SHORT);
    expect(await made.call()).toBe('packed');
  });

  it('by a limit that packing does not help, or by anything else, fails', async () => {
    const byLimit = choice('auto', { singly: () => Promise.reject(throttle) });
    expect(await byLimit.call()).toBe(throttle);
    const outage = new UpstreamError('DESCRIBE_OVERLOADED', 'busy', { retryable: true });
    const byOutage = choice('auto', {
      singly: () => {
        byOutage.short(REQUESTS_SHORT);
        return Promise.reject(outage);
      },
    });
    expect(await byOutage.call()).toBe(outage);
  });
});

describe('what a pack costs', () => {
  const rules = packRulesOf({});
  const bytesOf = (byteLength: number): LoadedImage =>
    ({
      kind: 'bytes',
      bytes: new Uint8Array(byteLength),
      mediaType: 'image/png',
      width: 512,
      height: 512,
    }) as LoadedImage;

  it('is a little more than the image alone with a short prompt, and much less with a long one', () => {
    const short = packingCost(bytesOf(1_000), requestOf(), modelCatalog, rules);
    expect(short).toMatchObject({ single: 426, packSize: 5 });
    expect(short.packed).toBeGreaterThan(426);
    expect(short.packed).toBeLessThan(426 * 1.03);
    const long = packingCost(bytesOf(1_000), requestOf('x'.repeat(8_000)), modelCatalog, rules);
    expect(long).toMatchObject({ single: 2_421 });
    expect(long.packed).toBeLessThan(900);
  });

  it('is counted for as many images as the bounds of a request let share it', () => {
    expect(packingCost(bytesOf(5_000_000), requestOf(), modelCatalog, rules).packSize).toBe(3);
    const alone = packingCost(bytesOf(16_000_000), requestOf(), modelCatalog, rules);
    expect(alone).toEqual({ single: 426, packed: 426, packSize: 1 });
  });
});
