import { describe, expect, it, vi } from 'vitest';
import { CircuitOpenError } from '../../errors/circuit-open-error.ts';
import { ClosedError } from '../../errors/closed-error.ts';
import type { DescribeError } from '../../errors/describe-error.ts';
import { ImageError } from '../../errors/image-error.ts';
import { InputError } from '../../errors/input-error.ts';
import { PoolTimeoutError } from '../../errors/pool-error.ts';
import { QueueFullError } from '../../errors/queue-full-error.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import type { LoadedImage } from '../../image/index.ts';
import { sleep } from '../../internal/async/signals.ts';
import { settingsOf } from '../../internal/options/option-checks.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { CallTrace } from '../attempt/call-trace.ts';
import { type FallbackStep, fallbackCheck } from '../options/fallback-option.ts';
import { ADMISSION_SPEC, type AdmissionOptions } from '../options/limit-options.ts';
import type { NormalisedRequest } from '../options/request-spec.ts';
import { Admission } from './admission.ts';
import type { Obtained } from './call-outcome.ts';
import { Fallback, type FallbackCall, fallsBack } from './fallback.ts';

const outage = () => new UpstreamError('DESCRIBE_UPSTREAM', 'down', { retryable: true, status: 500 });

const said = (model: string, source: Obtained['source'] = 'upstream'): Obtained => ({
  cached: { description: `by ${model}`, model },
  source,
  caused: undefined,
});

const REQUEST: NormalisedRequest = {
  image: 'https://images.example.com/cat.jpg',
  prompt: 'What is it?',
  model: 'first',
  detail: 'low',
  maxOutputTokens: 300,
  schema: undefined,
  scope: '',
  priority: 0,
  tags: [],
  ttlSeconds: undefined,
  timeoutMs: 10_000,
  signal: undefined,
  cache: 'default',
  onTruncated: 'reject',
  metadata: { id: 1 },
};

type Ask = FallbackCall['ask'];

/** A call of 10 s whose models answer as `ask` says. */
const callOf = (
  steps: readonly FallbackStep[],
  ask: (model: string, ...rest: Parameters<Ask>) => Promise<Obtained>,
  { request = REQUEST, image = { kind: 'url', url: 'https://images.example.com/cat.jpg' } as LoadedImage } = {},
) => {
  const clock = new ManualClock();
  const controller = new AbortController();
  const trace = new CallTrace(clock);
  const asked: string[] = [];
  const ticket = new Admission(settingsOf<AdmissionOptions, typeof ADMISSION_SPEC>({}, ADMISSION_SPEC), clock).enter();
  const outcome = new Fallback(steps, clock).obtain({
    request,
    image,
    bounds: { signal: controller.signal, deadlineAtMs: 10_000, ticket },
    trace,
    ask: (own, bounds) => {
      asked.push(own.model);
      return ask(own.model, own, bounds);
    },
  });
  outcome.catch(() => {});
  return { clock, controller, asked, outcome, story: () => trace.explain().fallbacks };
};

const down =
  (...models: string[]) =>
  async (model: string) => {
    if (models.includes(model)) throw outage();
    return said(model);
  };

describe('Fallback', () => {
  it('asks nobody else when the call succeeds', async () => {
    const { outcome, asked, story, clock } = callOf([{ model: 'second' }, 'stale', () => 'mine'], down());
    await expect(outcome).resolves.toEqual(said('first'));
    expect(asked).toEqual(['first']);
    expect(story()).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes the ways in the order given', async () => {
    const first = callOf([{ model: 'second' }, { model: 'third' }, () => 'mine'], down('first', 'second'));
    await expect(first.outcome).resolves.toEqual(said('third'));
    expect(first.asked).toEqual(['first', 'second', 'third']);
    expect(first.story()).toEqual([
      { kind: 'model', model: 'second', outcome: 'failure', code: 'DESCRIBE_UPSTREAM' },
      { kind: 'model', model: 'third', outcome: 'success' },
    ]);
    const second = callOf([() => 'mine', { model: 'second' }], down('first'));
    await expect(second.outcome).resolves.toMatchObject({
      cached: { description: 'mine', model: 'fallback' },
      source: 'fallback',
      caused: undefined,
    });
    expect(second.asked).toEqual(['first']);
  });

  it('rejects with the first error when no way helps', async () => {
    const error = outage();
    const throwing = () => {
      throw new Error('mine');
    };
    const { outcome, story } = callOf([{ model: 'second' }, 'stale', throwing, async () => ''], async () => {
      throw error;
    });
    await expect(outcome).rejects.toBe(error);
    expect(story()).toEqual([
      { kind: 'model', model: 'second', outcome: 'failure', code: 'DESCRIBE_UPSTREAM' },
      { kind: 'stale', outcome: 'none' },
      { kind: 'function', outcome: 'failure' },
      { kind: 'function', outcome: 'failure' },
    ]);
  });

  it('does not ask the same model again', async () => {
    const { outcome, asked } = callOf([{ model: 'first' }], down('first'));
    await expect(outcome).rejects.toMatchObject({ code: 'DESCRIBE_UPSTREAM' });
    expect(asked).toEqual(['first']);
  });

  it.each([
    [outage(), true],
    [new TimeoutError('an attempt', 1), true],
    [new UpstreamError('DESCRIBE_OVERLOADED', 'x', { retryable: true }), true],
    [new UpstreamError('DESCRIBE_RATE_LIMITED', 'x', { retryable: true }), true],
    [new UpstreamError('DESCRIBE_QUOTA_EXHAUSTED', 'x'), true],
    [new UpstreamError('DESCRIBE_RESPONSE_INVALID', 'x', { retryable: true, status: 200 }), true],
    [new CircuitOpenError('b', 10), true],
    [new QueueFullError('q', 'maxQueued', 1), true],
    [new PoolTimeoutError('p', 1), true],
    [new UpstreamError('DESCRIBE_AUTH', 'x'), false],
    [new UpstreamError('DESCRIBE_REFUSED', 'x'), false],
    [new UpstreamError('DESCRIBE_UPSTREAM', 'a bad request', { status: 400 }), false],
    [new ImageError('DESCRIBE_IMAGE_UNREADABLE', 'x'), false],
    [new InputError('image', 'x'), false],
    [new ClosedError('c'), false],
    [new Error('x'), false],
  ])('falls back from %o: %s', async (error, expected) => {
    expect(fallsBack(error)).toBe(expected);
    const mine = vi.fn(() => 'mine');
    const { outcome } = callOf([mine], async () => {
      throw error;
    });
    if (expected) await expect(outcome).resolves.toMatchObject({ source: 'fallback' });
    else await expect(outcome).rejects.toBe(error);
    expect(mine).toHaveBeenCalledTimes(expected ? 1 : 0);
  });
});

describe('a stale entry', () => {
  const staleAfter = (failure?: DescribeError) => async (model: string) =>
    model === 'first' ? { ...said('old', 'stale'), ...(failure === undefined ? {} : { failure }) } : said(model);

  it('waits for its turn', async () => {
    const later = callOf([{ model: 'second' }, 'stale'], staleAfter(outage()));
    await expect(later.outcome).resolves.toMatchObject({ cached: { model: 'second' } });
    const sooner = callOf(['stale', { model: 'second' }], staleAfter(outage()));
    await expect(sooner.outcome).resolves.toMatchObject({ source: 'stale' });
    expect(sooner.asked).toEqual(['first']);
    expect(sooner.story()).toEqual([{ kind: 'stale', outcome: 'success' }]);
  });

  it('is better than an error, wherever the list leaves it out', async () => {
    const { outcome, asked } = callOf([{ model: 'second' }], async (model) => {
      if (model === 'second') throw outage();
      return said('old', 'stale');
    });
    await expect(outcome).resolves.toMatchObject({ source: 'stale' });
    expect(asked).toEqual(['first', 'second']);
  });

  it("is given at once for a failure of the image's own", async () => {
    const refused = new UpstreamError('DESCRIBE_REFUSED', 'no');
    const { outcome, asked } = callOf([{ model: 'second' }], staleAfter(refused));
    await expect(outcome).resolves.toMatchObject({ source: 'stale' });
    expect(asked).toEqual(['first']);
  });

  it('is none that is not of the schema', async () => {
    const schema = { name: 'cat', jsonSchema: {} };
    const { outcome, story } = callOf(['stale', () => '{"cat":true}'], staleAfter(outage()), {
      request: { ...REQUEST, schema },
    });
    await expect(outcome).resolves.toMatchObject({ cached: { description: '{"cat":true}' } });
    expect(story()?.[0]).toEqual({ kind: 'stale', outcome: 'none' });
  });
});

describe('a fallback function', () => {
  it('is told the request, with the image as it is at hand, and the error', async () => {
    const error = outage();
    const bytes = Uint8Array.of(1, 2, 3);
    const image = { kind: 'bytes', bytes } as LoadedImage;
    const mine = vi.fn(async () => ({ description: 'mine', model: 'local-captioner' }));
    const { outcome } = callOf(
      [mine],
      async () => {
        throw error;
      },
      { image },
    );
    await expect(outcome).resolves.toMatchObject({
      cached: { description: 'mine', model: 'local-captioner' },
    });
    expect(mine).toHaveBeenCalledExactlyOnceWith(
      {
        image: bytes,
        prompt: 'What is it?',
        model: 'first',
        detail: 'low',
        maxOutputTokens: 300,
        metadata: { id: 1 },
        signal: expect.any(AbortSignal),
      },
      error,
    );
  });

  it.each([[''], ['  '], [undefined], [7], [{}], [{ description: 7 }], [null]])(
    'that gives %o gave nothing',
    async (value) => {
      const { outcome } = callOf([() => value as string], down('first'));
      await expect(outcome).rejects.toMatchObject({ code: 'DESCRIBE_UPSTREAM' });
    },
  );

  it('must keep to the schema', async () => {
    const parse = (value: unknown) => {
      if ((value as { readonly cat?: unknown }).cat !== true) throw new Error('no cat');
      return value;
    };
    const request = { ...REQUEST, schema: { name: 'cat', jsonSchema: {}, parse } };
    const good = callOf([() => 'no JSON', () => '{"cat":7}', () => '{"cat":true}'], down('first'), {
      request,
    });
    await expect(good.outcome).resolves.toMatchObject({ cached: { description: '{"cat":true}' } });
  });
});

describe('the time of a call', () => {
  const hang: Ask = (_request, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });

  it('is not used up by a request that hangs while a way follows', async () => {
    const { clock, outcome, asked } = callOf([{ model: 'second' }, () => 'mine'], (_model, ...rest) => hang(...rest));
    await clock.advance(7999);
    expect(asked).toEqual(['first']);
    await clock.advance(1);
    expect(asked).toEqual(['first', 'second']);
    // Four fifths of the two seconds that are left.
    await clock.advance(1600);
    await expect(outcome).resolves.toMatchObject({ cached: { description: 'mine' } });
    expect(clock.now()).toBe(9600);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is told to each request as what it has', async () => {
    const seen: [string, number, number][] = [];
    const { outcome } = callOf([{ model: 'second' }], async (model, request, bounds) => {
      seen.push([model, request.timeoutMs, bounds.deadlineAtMs]);
      if (model === 'first') throw outage();
      return said(model);
    });
    await outcome;
    expect(seen).toEqual([
      ['first', 8000, 8000],
      ['second', 10_000, 10_000],
    ]);
  });

  it('belongs to the request alone where only the stale entry follows: the cache gives that in time', async () => {
    const { outcome } = callOf(['stale'], async (_model, request, bounds) => {
      expect([request.timeoutMs, bounds.deadlineAtMs]).toEqual([10_000, 10_000]);
      return said('first');
    });
    await outcome;
  });

  it('ends a function that hangs, and the call at its deadline', async () => {
    const { clock, controller, outcome } = callOf([() => new Promise<string>(() => {})], down('first'));
    await clock.advance(10_000);
    const reason = new TimeoutError('the call', 10_000);
    controller.abort(reason);
    await expect(outcome).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends with the signal: an abort is no failure to fall back from', async () => {
    const mine = vi.fn(() => 'mine');
    const { clock, controller, outcome, asked } = callOf([{ model: 'second' }, mine], async (model, _r, b) => {
      if (model === 'second') await sleep(1000, { signal: b.signal, clock });
      throw outage();
    });
    await clock.advance(500);
    controller.abort('enough');
    await expect(outcome).rejects.toBe('enough');
    expect(asked).toEqual(['first', 'second']);
    expect(mine).not.toHaveBeenCalled();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the option fallback', () => {
  it('takes ways only', () => {
    const good = [{ model: 'm' }, 'stale', () => 'mine'];
    expect(fallbackCheck(good, 'fallback')).toEqual([]);
    expect(fallbackCheck(undefined, 'fallback')).toEqual([]);
    const issues = ['stale', [], ['old'], [{ modle: 'm' }], [{ model: '' }], [7], [undefined]].map((value) =>
      fallbackCheck(value, 'fallback').map(({ option }) => option),
    );
    expect(issues).toEqual([
      ['fallback'],
      ['fallback'],
      ['fallback[0]'],
      ['fallback[0].modle', 'fallback[0].model'],
      ['fallback[0].model'],
      ['fallback[0]'],
      ['fallback[0]'],
    ]);
  });
});
