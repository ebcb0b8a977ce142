import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors/config-error.ts';
import { DescribeError } from '../errors/describe-error.ts';
import { UpstreamError } from '../errors/upstream-error.ts';
import { Deferred } from '../internal/async/deferred.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { RedisCacheOptions } from './cache-options.ts';
import { RedisCache } from './redis-cache.ts';

function memoryOnly(options: RedisCacheOptions = {}) {
  const clock = new ManualClock();
  return { clock, cache: new RedisCache({ ...options, clock }) };
}

const codeOf = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return DescribeError.is(error) ? error.code : error;
};

describe('RedisCache in memory only', () => {
  it('gives back what was set until its time is over', async () => {
    const { cache, clock } = memoryOnly();
    await cache.set('key', { text: 'hello' }, 10);
    await clock.advance(9_999);
    expect(await cache.get('key')).toEqual({ text: 'hello' });
    expect(await cache.has('key')).toBe(true);
    await clock.advance(1);
    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.has('key')).toBe(false);
  });

  it('uses defaultTTL where no time is given, in either form of set', async () => {
    const { cache, clock } = memoryOnly({ defaultTTL: 5 });
    await cache.set('positional', 1);
    await cache.set('object', 1, { tags: ['tag'] });
    await cache.set('longer', 1, { ttlSeconds: 6 });
    await clock.advance(5_000);
    expect(await cache.mget(['positional', 'object', 'longer'])).toEqual([undefined, undefined, 1]);
  });

  it('keeps nothing in memory for longer than memory.ttlSeconds', async () => {
    const { cache, clock } = memoryOnly({ memory: { ttlSeconds: 5 } });
    await cache.set('key', 1, 60);
    await clock.advance(4_999);
    expect(await cache.get('key')).toBe(1);
    await clock.advance(1);
    expect(await cache.get('key')).toBeUndefined();
  });

  it('shortens the time of what a factory made by chance, at most by ttlJitterRatio', async () => {
    const { cache, clock } = memoryOnly({ ttlJitterRatio: 0.5, random: () => 0.999_999 });
    await cache.getOrSet('key', () => 1, { ttlSeconds: 10 });
    await clock.advance(4_900);
    expect(await cache.get('key')).toBe(1);
    await clock.advance(200);
    expect(await cache.get('key')).toBeUndefined();
  });

  it('stores a copy that no caller can change', async () => {
    const { cache } = memoryOnly();
    const value = { list: [{ n: 1 }], when: new Date(0) };
    await cache.set('key', value);
    value.list[0] = { n: 2 };
    const stored = await cache.get<{ list: { n: number }[]; when: string }>('key');
    expect(stored).toEqual({ list: [{ n: 1 }], when: '1970-01-01T00:00:00.000Z' });
    expect(Object.isFrozen(stored?.list[0])).toBe(true);
    expect(await cache.get('key')).toBe(stored);
  });

  it('takes what isValid does not accept for a miss', async () => {
    const { cache } = memoryOnly();
    const isValid = (value: unknown) => typeof value === 'string';
    await cache.set('key', { text: 'of another version' });
    expect(await cache.getWithSource('key', { isValid })).toBeUndefined();
    const throwing = () => {
      throw new Error('a bug');
    };
    expect(await cache.getWithSource('key', { isValid: throwing })).toBeUndefined();
    expect(await cache.getOrSetWithSource('key', () => 'made', { isValid })).toEqual({
      value: 'made',
      source: 'factory',
    });
    expect(await cache.getWithSource('key', { isValid })).toEqual({ value: 'made', source: 'memory' });
    expect(await codeOf(cache.getOrSet('key', 5 as never))).toBe('DESCRIBE_INPUT_INVALID');
    expect(await codeOf(cache.getOrSet('key', () => 1, { isValid: 5 as never }))).toBe('DESCRIBE_INPUT_INVALID');
  });

  it('tells null, a value, from undefined, which is none', async () => {
    const { cache } = memoryOnly();
    await cache.set('null', null);
    expect(await cache.get('null')).toBeNull();
    expect(await cache.has('null')).toBe(true);
    expect(await codeOf(cache.set('undefined', undefined))).toBe('DESCRIBE_CACHE');
    let calls = 0;
    const factory = () => {
      calls += 1;
      return undefined;
    };
    expect(await cache.getOrSet('nothing', factory)).toBeUndefined();
    expect(await cache.getOrSet('nothing', factory)).toBeUndefined();
    expect(calls).toBe(2);
  });

  it.each([
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a map', new Map([['a', 1]]), {}],
    ['a stream', new ReadableStream(), {}],
    ['bytes', new Uint8Array([7]), { 0: 7 }],
    ['not a number', Number.NaN, null],
    ['a property that is undefined', { a: undefined, b: 1 }, { b: 1 }],
  ])('gives back %s as JSON does, from getOrSet too', async (_, value, stored) => {
    const { cache } = memoryOnly();
    await cache.set('key', value);
    expect(await cache.get('key')).toStrictEqual(stored);
    expect(await cache.getOrSet('other', () => value)).toStrictEqual(stored);
    expect(await cache.mget(['key', 'other'])).toStrictEqual([stored, stored]);
  });

  it.each([
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a big integer', 1n],
  ])('refuses %s', async (_, value) => {
    const { cache } = memoryOnly();
    expect(await codeOf(cache.set('key', value))).toBe('DESCRIBE_CACHE');
    expect(await cache.getOrSet('key', () => value)).toBe(value);
    expect(await cache.has('key')).toBe(false);
  });

  it('refuses a promise, whose await was forgotten', async () => {
    const cache = new RedisCache();
    await expect(cache.set('key', Promise.resolve(1))).rejects.toThrow(/a promise can not be stored; await it/);
    expect(await cache.get('key')).toBeUndefined();
  });

  it('refuses what can not be encoded or is too large, and getOrSet returns it uncached', async () => {
    const { cache } = memoryOnly({ maxValueBytes: 1_024 });
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect(await codeOf(cache.set('key', circular))).toBe('DESCRIBE_CACHE');
    expect(await codeOf(cache.set('key', 'x'.repeat(2_000)))).toBe('DESCRIBE_CACHE');
    const failed: string[] = [];
    cache.on('storeFailed', ({ key }) => failed.push(key));
    expect(await cache.getOrSet('key', () => circular)).toBe(circular);
    expect(await cache.getOrSet('key', () => 5n)).toBe(5n);
    expect(failed).toEqual(['key', 'key']);
    expect(await cache.has('key')).toBe(false);
  });

  it('drops every entry of an invalidated tag, and only those', async () => {
    const { cache } = memoryOnly();
    await cache.set('both', 1, 60, ['red', 'blue']);
    await cache.set('blue', 2, 60, ['blue']);
    await cache.set('none', 3);
    await cache.invalidateByTags(['red']);
    expect(await cache.mget(['both', 'blue', 'none'])).toEqual([undefined, 2, 3]);
    await cache.set('both', 4, 60, ['red', 'blue']);
    expect(await cache.get('both')).toBe(4);
    await cache.clear();
    expect(await cache.mget(['both', 'blue', 'none'])).toEqual([undefined, undefined, undefined]);
    await cache.set('none', 5);
    expect(await cache.get('none')).toBe(5);
  });

  it('does not keep a value whose tag was invalidated while it was made', async () => {
    const { cache, clock } = memoryOnly();
    const answer = new Deferred<string>();
    const first = cache.getOrSet('key', () => answer.promise, { tags: ['tag'] });
    await clock.flush();
    expect(cache.getStats().factoryCalls).toBe(1);
    await cache.invalidateByTags(['tag']);
    const second = cache.getOrSet('key', () => 'new', { tags: ['tag'] });
    answer.resolve('old');
    expect(await first).toBe('old');
    expect(await second).toBe('new');
    expect(await cache.get('key')).toBe('new');
  });

  it.each(['delete', 'set', 'clear'] as const)('does not keep a value after a %s while it was made', async (change) => {
    const { cache, clock } = memoryOnly();
    const answer = new Deferred<string>();
    const making = cache.getOrSet('key', () => answer.promise);
    await clock.flush();
    expect(cache.getStats().factoryCalls).toBe(1);
    if (change === 'delete') await cache.delete('key');
    if (change === 'set') await cache.set('key', 'set');
    if (change === 'clear') await cache.clear();
    answer.resolve('old');
    expect(await making).toBe('old');
    expect(await cache.get('key')).toBe(change === 'set' ? 'set' : undefined);
  });

  it('runs one factory for all callers that join, and marks them as shared', async () => {
    const { cache } = memoryOnly();
    const answer = new Deferred<number>();
    let calls = 0;
    const ask = () =>
      cache.getOrSetWithSource('key', () => {
        calls += 1;
        return answer.promise;
      });
    const asked = Promise.all([ask(), ask(), ask()]);
    await cache.has('key');
    answer.resolve(7);
    expect((await asked).map(({ source }) => source)).toEqual(['factory', 'shared', 'shared']);
    expect(await ask()).toEqual({ value: 7, source: 'memory' });
    expect(calls).toBe(1);
  });

  it('lets one caller abort, and aborts the factory when all have', async () => {
    const { cache } = memoryOnly();
    const signals: AbortSignal[] = [];
    const [one, two] = [new AbortController(), new AbortController()];
    const ask = (signal: AbortSignal) =>
      cache.getOrSet(
        'key',
        (context) => {
          signals.push(context.signal);
          return new Promise(() => {});
        },
        { signal },
      );
    const waits = [ask(one.signal), ask(two.signal)].map(codeOf);
    await cache.has('key');
    one.abort('one');
    expect(await waits[0]).toBe('one');
    expect(signals[0]?.aborted).toBe(false);
    two.abort('two');
    expect(await waits[1]).toBe('two');
    expect(signals[0]?.reason).toBe('two');
    expect(await cache.getOrSet('key', () => 'again')).toBe('again');
  });

  it('makes anew on forceRefresh, and for a tag that was not stored', async () => {
    const { cache } = memoryOnly();
    let calls = 0;
    const next = () => {
      calls += 1;
      return calls;
    };
    await cache.getOrSet('key', next);
    expect(await cache.getOrSet('key', next, { forceRefresh: true })).toBe(2);
    expect(await cache.getOrSet('key', next)).toBe(2);
    expect(await cache.getOrSet('key', next, { tags: ['added'] })).toBe(3);
    expect(await cache.getOrSet('key', next, { tags: ['added'] })).toBe(3);
  });

  it('does not let older work overwrite what a later forceRefresh made', async () => {
    const { cache, clock } = memoryOnly();
    const [older, newer] = [new Deferred<number>(), new Deferred<number>()];
    const first = cache.getOrSet('key', () => older.promise);
    await clock.flush();
    const forced = cache.getOrSet('key', () => newer.promise, { forceRefresh: true });
    await clock.flush();
    const meanwhile = cache.getOrSetWithSource('key', () => 3);
    newer.resolve(2);
    expect(await forced).toBe(2);
    expect(await meanwhile).toEqual({ value: 2, source: 'shared' });
    older.resolve(1);
    expect(await first).toBe(1);
    expect(await cache.get('key')).toBe(2);
  });

  it('does not store what a factory makes after every caller left, nor lets it overwrite what came after', async () => {
    const { cache, clock } = memoryOnly();
    const answer = new Deferred<number>();
    const controller = new AbortController();
    const left = codeOf(cache.getOrSet('key', () => answer.promise, { signal: controller.signal }));
    await clock.flush();
    controller.abort('left');
    expect(await left).toBe('left');
    expect(await cache.getOrSet('key', () => 2)).toBe(2);
    answer.resolve(1);
    await clock.flush();
    expect(await cache.get('key')).toBe(2);
    expect(cache.getStats().factoryFailures).toBe(0);
  });

  it('passes on what a factory throws and stores nothing', async () => {
    const { cache } = memoryOnly();
    const failing = () => {
      throw new Error('no');
    };
    await expect(cache.getOrSet('key', failing)).rejects.toThrow('no');
    expect(await cache.getOrSet('key', () => 'yes')).toBe('yes');
    expect(cache.getStats()).toMatchObject({ factoryCalls: 2, factoryFailures: 1 });
  });

  it('evicts by entries and by bytes', async () => {
    const { cache } = memoryOnly({ memory: { maxEntries: 2 } });
    for (const key of ['a', 'b', 'c']) await cache.set(key, key);
    expect(await cache.mget(['a', 'b', 'c'])).toEqual([undefined, 'b', 'c']);
    expect(cache.getStats().memory).toMatchObject({ entries: 2, evictions: 1 });
    const small = memoryOnly({ memory: { maxBytes: 5_000 } }).cache;
    for (const key of ['a', 'b', 'c']) await small.set(key, 'x'.repeat(800));
    expect(small.getStats().memory.entries).toBe(2);
    expect(small.getStats().memory.bytes).toBeLessThanOrEqual(5_000);
  });

  it('removes many, and says how many there were', async () => {
    const { cache } = memoryOnly();
    await cache.mset([
      { key: 'a', data: 1 },
      { key: 'b', data: 2, ttl: 5, tags: ['tag'] },
    ]);
    expect(await cache.delete('a')).toBe(true);
    expect(await cache.delete('a')).toBe(false);
    expect(await cache.deleteMany(['a', 'b'])).toBe(1);
  });

  it('counts, and freezes what it tells', async () => {
    const { cache } = memoryOnly();
    await cache.set('key', 1);
    await cache.get('key');
    await cache.get('other');
    const stats = cache.getStats();
    expect(stats).toMatchObject({ hits: 1, memoryHits: 1, misses: 1, hitRatio: 0.5, writes: 1 });
    expect(Object.isFrozen(stats) && Object.isFrozen(stats.memory)).toBe(true);
    expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
    expect(cache.health()).toEqual({ status: 'healthy', memory: { entries: 1, bytes: expect.any(Number) } });
  });

  it('refuses wrong options, all at once, without showing a secret', () => {
    const make = () =>
      new RedisCache({
        defaultTtl: 1,
        port: 0,
        password: '',
        url: 'http://me:secret@host',
        cluster: [],
        sentinels: [],
      } as object);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(/did you mean defaultTTL.*port.*password.*url.*sentinels/s);
    expect(make).not.toThrow(/secret/);
    expect(() => new RedisCache('redis://:secret@host' as never)).toThrow(
      /^RedisCache: options: expected an object; for a URL, { url }, got a string \(not shown\)$/,
    );
    // ioredis would refuse it only later, which would look like a missing driver.
    expect(() => new RedisCache({ url: 'redis://:100%secret@host' })).toThrow(/url: .*percent-encoded/);
    expect(() => new RedisCache({ sentinels: [] })).toThrow(/sentinels: expected at least one/);
    expect(() => new RedisCache({ cluster: [] })).toThrow(/cluster: expected at least one/);
    const cluster = [{ host: 'a', port: 1 }];
    for (const keyPrefix of ['a{b:', '{}a:']) {
      expect(() => new RedisCache({ cluster, keyPrefix })).toThrow(
        /keyPrefix: expected something between its first braces/,
      );
      expect(() => new RedisCache({ keyPrefix })).not.toThrow();
    }
  });

  it('refuses what would be without effect, at once, by name', async () => {
    const cache = new RedisCache();
    const wrong = [
      () => cache.set('key', 1, { ttl: 5 } as never),
      () => cache.getOrSet('key', () => 1, { ttl: 60 } as never),
      () => cache.mset([{ key: 'key', data: 1, ttlSeconds: 5 } as never]),
      () => cache.getOrSet('key', () => 1, 60 as never),
      () => cache.mget('abc' as never),
      () => cache.mset({ key: 1 } as never),
      () => cache.deleteMany('abc' as never),
      () => cache.set('key', 1, { ttlSeconds: 5 }, ['tag']),
    ];
    const fields = ['ttl', 'ttl', 'ttlSeconds', 'options', 'keys', 'entries', 'keys', 'tags'];
    for (const [index, call] of wrong.entries()) {
      await expect(call()).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID', field: fields[index] });
    }
    await cache.close();
  });

  it('heeds options that are inherited', async () => {
    const cache = new RedisCache();
    await cache.set('key', 1, Object.create({ tags: ['tag'] }));
    await cache.invalidateByTags(['tag']);
    expect(await cache.get('key')).toBeUndefined();
    await cache.close();
  });

  it('takes no name of every object for an option', async () => {
    const cache = new RedisCache();
    Object.assign(Object.prototype, { added: () => {} });
    try {
      await cache.set('key', 1);
      await cache.mset([{ key: 'other', data: 2 }]);
      expect(await cache.getOrSet('third', () => 3)).toBe(3);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'added');
    }
    await cache.close();
  });

  it.each([
    ['an empty key', (cache: RedisCache) => cache.get('')],
    ['a key too long', (cache: RedisCache) => cache.set('k'.repeat(8_193), 1)],
    ['a time of zero', (cache: RedisCache) => cache.set('key', 1, 0)],
    ['a time that is no number', (cache: RedisCache) => cache.set('key', 1, Number.NaN)],
    ['an empty tag', (cache: RedisCache) => cache.invalidateByTags([''])],
    ['tags that are a string', (cache: RedisCache) => cache.set('key', 1, 1, 'tag' as never)],
  ])('refuses %s', async (_, work) => {
    expect(await codeOf(work(memoryOnly().cache))).toBe('DESCRIBE_INPUT_INVALID');
  });

  it('takes nothing after close', async () => {
    const { cache } = memoryOnly();
    await cache.set('key', 1);
    await cache.close();
    await cache.close();
    expect(await codeOf(cache.get('key'))).toBe('DESCRIBE_CLOSED');
    expect(await codeOf(cache.getOrSet('key', () => 1))).toBe('DESCRIBE_CLOSED');
    expect(await codeOf(cache.invalidateByTags(['tag']))).toBe('DESCRIBE_CLOSED');
  });
});

describe('grace', () => {
  async function withStale(options: RedisCacheOptions = {}) {
    const made = memoryOnly({ graceSeconds: 60, ttlJitterRatio: 0, ...options });
    await made.cache.getOrSet('key', () => 'old', { ttlSeconds: 10 });
    await made.clock.advance(10_000);
    return made;
  }
  const failing = () => Promise.reject(new Error('down'));

  it('serves the stale value when the factory fails, and asks it again only after the throttle', async () => {
    const { cache, clock } = await withStale({ refreshThrottleSeconds: 5 });
    let calls = 0;
    const counting = () => {
      calls += 1;
      return failing();
    };
    expect(await cache.getOrSetWithSource('key', counting)).toEqual({ value: 'old', source: 'stale' });
    expect(await cache.getOrSetWithSource('key', counting)).toEqual({ value: 'old', source: 'stale' });
    expect(calls).toBe(1);
    await clock.advance(5_000);
    await cache.getOrSet('key', counting);
    expect(calls).toBe(2);
    expect(await cache.get('key')).toBeUndefined();
  });

  it('ends with the grace', async () => {
    const { cache, clock } = await withStale();
    await clock.advance(60_000);
    await expect(cache.getOrSet('key', failing)).rejects.toThrow('down');
  });

  it('serves the stale value after the soft timeout and stores what comes later', async () => {
    const { cache, clock } = await withStale();
    const answer = new Deferred<string>();
    const asked = cache.getOrSetWithSource('key', () => answer.promise, { softTimeoutMs: 100 });
    await clock.advance(100);
    expect(await asked).toEqual({ value: 'old', source: 'stale' });
    answer.resolve('new');
    await clock.flush();
    expect(await cache.get('key')).toBe('new');
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not serve a stale value whose tag was invalidated, nor store a refresh begun before', async () => {
    const { cache, clock } = memoryOnly({ graceSeconds: 60, ttlJitterRatio: 0 });
    const tags = ['tag'];
    await cache.getOrSet('key', () => 'old', { ttlSeconds: 10, tags });
    await clock.advance(10_000);
    const answer = new Deferred<string>();
    const stale = await cache
      .getOrSetWithSource('key', () => answer.promise, { softTimeoutMs: 0, tags })
      .then(
        (hit) => hit,
        (error: unknown) => error,
      );
    void stale;
    await cache.invalidateByTags(tags);
    answer.resolve('refreshed before the invalidation');
    await clock.flush();
    expect(await cache.get('key')).toBeUndefined();
    await expect(cache.getOrSet('key', failing, { tags })).rejects.toThrow('down');
  });

  it('keeps the stale value when a refresh fails with an error that is else remembered', async () => {
    const { cache, clock } = await withStale({ refreshThrottleSeconds: 5 });
    const refusal = () => Promise.reject(new UpstreamError('DESCRIBE_REFUSED', 'refused', { status: 400 }));
    const ask = (key: string) => cache.getOrSet(key, refusal, { negativeTtlSeconds: () => 30 });
    for (const restMs of [5_000, 0]) {
      expect(await ask('key')).toBe('old');
      await clock.advance(restMs);
    }
    expect(cache.getStats().factoryFailures).toBe(2);
    await expect(ask('other')).rejects.toThrow('refused');
    await expect(cache.getOrSet('other', () => 'not called')).rejects.toThrow('refused');
  });

  it('aborts a refresh in the background on close, though its caller left', async () => {
    const { cache, clock } = await withStale();
    const signals: AbortSignal[] = [];
    const hanging = ({ signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return new Promise<string>(() => {});
    };
    const controller = new AbortController();
    const asked = codeOf(cache.getOrSet('key', hanging, { signal: controller.signal }));
    await clock.flush();
    controller.abort('left');
    expect(await asked).toBe('left');
    expect(signals[0]?.aborted).toBe(false);
    await cache.close();
    expect(DescribeError.is(signals[0]?.reason, 'DESCRIBE_CLOSED')).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives a caller that waits for a refresh the stale value on close, and one that has none the value', async () => {
    const { cache, clock } = await withStale();
    const answer = new Deferred<string>();
    const stale = cache.getOrSetWithSource('key', () => new Promise<string>(() => {}));
    const waiting = cache.getOrSet('other', () => answer.promise);
    await clock.flush();
    await cache.close();
    expect(await stale).toEqual({ value: 'old', source: 'stale' });
    answer.resolve('made');
    expect(await waiting).toBe('made');
    expect(clock.pendingTimers).toBe(0);
  });

  it('aborts a factory at the hard timeout, with an error or the stale value', async () => {
    const { cache, clock } = await withStale();
    const signals: AbortSignal[] = [];
    const hanging = ({ signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return new Promise<string>(() => {});
    };
    const none = codeOf(cache.getOrSet('other', hanging, { hardTimeoutMs: 50 }));
    const stale = cache.getOrSetWithSource('key', hanging, { hardTimeoutMs: 50 });
    await clock.advance(50);
    expect(await none).toBe('DESCRIBE_TIMEOUT');
    expect((await stale).source).toBe('stale');
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
  });
});

describe('negative entries', () => {
  const refusal = () =>
    Promise.reject(new UpstreamError('DESCRIBE_REFUSED', 'refused', { status: 400, requestId: 'r' }));
  const negativeTtlSeconds = (error: unknown) => (DescribeError.is(error, 'DESCRIBE_REFUSED') ? 30 : undefined);

  it('answers with the same error, without asking again, until its time is over', async () => {
    const { cache, clock } = memoryOnly({ ttlJitterRatio: 0 });
    await expect(cache.getOrSet('key', refusal, { negativeTtlSeconds })).rejects.toThrow('refused');
    const error: unknown = await cache.getOrSet('key', () => 'value').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UpstreamError);
    expect(error).toMatchObject({
      code: 'DESCRIBE_REFUSED',
      message: 'refused',
      status: 400,
      requestId: 'r',
    });
    expect(await cache.get('key')).toBeUndefined();
    expect(cache.getStats().negativeHits).toBe(1);
    await clock.advance(30_000);
    expect(await cache.getOrSet('key', () => 'value')).toBe('value');
  });

  it('does not remember other errors, whatever the function does', async () => {
    const { cache } = memoryOnly();
    const throwing = () => {
      throw new Error('in the callback');
    };
    await expect(
      cache.getOrSet('a', () => Promise.reject(new Error('plain')), { negativeTtlSeconds: () => 60 }),
    ).rejects.toThrow('plain');
    await expect(cache.getOrSet('b', refusal, { negativeTtlSeconds: throwing })).rejects.toThrow('refused');
    expect(await cache.getOrSet('a', () => 1)).toBe(1);
    expect(await cache.getOrSet('b', () => 1)).toBe(1);
  });
});
