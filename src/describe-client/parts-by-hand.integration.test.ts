import { describe, expect, it } from 'vitest';
import { systemClock } from '../internal/clock.ts';
import { RedisCache } from '../redis-cache/index.ts';
import { describeImageFacts } from '../testing/index.ts';
import { codeOf, image, useFakeApi } from './fake-api.fixture.ts';

const { server, start } = useFakeApi();

describe('breakers', () => {
  it('refuse a fallback, whose answer would be cached as a description', () => {
    const options = { fallback: () => ({ description: 'n/a', model: 'm' }) };
    expect(() => start({ circuitBreaker: options as object })).toThrow(/circuitBreaker.fallback/);
  });

  it("take no answer of a user's breaker for a description", async () => {
    const answering = { fire: async () => ({ description: 'n/a' }), getStats: () => ({}), state: 'CLOSED' };
    const started = start({ circuitBreaker: () => answering as never });
    expect(await codeOf(started.describe(image))).toBe('DESCRIBE_RESPONSE_INVALID');
    expect(await codeOf(started.describe(image, { cache: 'only-if-cached' }))).toBe('DESCRIBE_CACHE_MISS');
  });

  it('do not keep the client unhealthy once they would let a call try', async () => {
    server().setFaults([{ fault: { kind: 'error', status: 500 } }]);
    let skewMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + skewMs };
    const started = start({ clock, circuitBreaker: { resetTimeoutMs: 60_000, failureThreshold: 1 } });
    await codeOf(started.describe(image));
    expect((await started.health()).status).toBe('unhealthy');
    skewMs = 61_000;
    expect((await started.health()).status).toBe('degraded');
  });
});

/** A user's own cache that ignores the signals of its callers. */
function cacheThatHangs(): RedisCache {
  const hang = () => new Promise<never>(() => {});
  return Object.assign(new RedisCache(), { getWithSource: hang, getOrSetWithSource: hang });
}

describe('parts used by hand', () => {
  it('describe through client.batch', async () => {
    const started = start({ batch: { maxBatchWaitMs: 1 } });
    await expect(started.batch?.process({ image, prompt: 'What?' })).resolves.toMatchObject({
      description: describeImageFacts(image),
    });
  });

  it('do not fail calls when the cache was closed by its owner', async () => {
    const cache = new RedisCache();
    const started = start({ cache });
    await cache.close();
    await expect(started.describe(image)).resolves.toMatchObject({ source: 'upstream' });
  });

  it.each(['default', 'only-if-cached', 'reload'] as const)(
    'do not hold a call beyond its deadline: a cache that never answers, asked with %s',
    async (mode) => {
      const started = start({ cache: cacheThatHangs() });
      expect(await codeOf(started.describe(image, { cache: mode, timeoutMs: 50 }))).toBe('DESCRIBE_TIMEOUT');
      expect(started.stats()).toMatchObject({ calls: { active: 0, failed: 1 }, admission: { calls: 0 } });
    },
  );

  it('leave a fallback its share of the time: a cache that never answers', async () => {
    const started = start({ cache: cacheThatHangs(), fallback: [() => 'a picture'] });
    await expect(started.describe(image, { timeoutMs: 500 })).resolves.toMatchObject({ source: 'fallback' });
  });

  it('do not make a fallback answer a call that wants only what is cached', async () => {
    const started = start({ cache: cacheThatHangs(), fallback: [() => 'a picture'] });
    const call = started.describe(image, { cache: 'only-if-cached', timeoutMs: 500 });
    expect(await codeOf(call)).toBe('DESCRIBE_TIMEOUT');
  });

  it('are refused where a function gives no pool or breaker', async () => {
    expect(() => start({ pool: () => ({}) as never })).toThrow(/pool.result/);
    expect(() => start({ pool: () => undefined as never })).toThrow(/pool.result/);
    const started = start({ circuitBreaker: () => undefined as never });
    expect(await codeOf(started.describe(image))).toBe('DESCRIBE_CONFIG_INVALID');
    expect(started.stats().calls.failed).toBe(1);
  });

  it('have no options that the client decides', () => {
    expect(() => start({ batch: { model: 'x' } as never })).toThrow(/batch.model/);
    expect(() => start({ cache: { host: 'x' } as never })).toThrow(/cache.host/);
  });
});

describe('health', () => {
  it('knows that the key is refused, from the calls themselves', async () => {
    const started = start({ apiKey: 'sk-wrong' });
    expect(await codeOf(started.describe(image))).toBe('DESCRIBE_AUTH');
    expect((await started.health()).parts['pool:default']).toMatchObject({ status: 'unhealthy' });
  });

  it('does not mind what callers send', async () => {
    const started = start();
    for (let call = 0; call < 30; call += 1) await codeOf(started.describe(new Uint8Array([call])));
    expect((await started.health()).parts['monitor']?.reason ?? '').not.toContain('error');
  });
});

describe('the end', () => {
  it('comes at once by destroy, also while close waits', async () => {
    const started = start({ pool: { min: 0, max: 1 } });
    const lease = await started.pools['default']?.acquire();
    const closing = started.close();
    await started.destroy('over');
    await closing;
    expect(() => lease?.release()).toThrow();
  });
});
