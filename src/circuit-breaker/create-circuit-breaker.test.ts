import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type CreateCircuitBreakerOptions, createCircuitBreaker } from './create-circuit-breaker.ts';
import { withCircuitBreaker } from './handlers/with-circuit-breaker.ts';
import { CircuitBreakerRegistry } from './registry.ts';

let registry: CircuitBreakerRegistry;

beforeEach(() => {
  registry = new CircuitBreakerRegistry({ maxBreakers: 3 });
});

const boom = new Error('boom');
const settle = (promise: Promise<unknown>) => promise.then(String, (error: unknown) => error);

/** Calls as a request handler does: one name, a fresh closure. */
const callAs = (user: string, fails = false, options: CreateCircuitBreakerOptions<[], string> = {}) =>
  createCircuitBreaker(
    'orders',
    async () => {
      if (fails) throw boom;
      return `orders of ${user}`;
    },
    { registry, ...options },
  )();

describe('createCircuitBreaker', () => {
  it('runs the action of each callable and shares the state of the name', async () => {
    await expect(callAs('ann')).resolves.toBe('orders of ann');
    await expect(callAs('bob')).resolves.toBe('orders of bob');
    for (let index = 0; index < 5; index += 1) await settle(callAs('eve', true));
    await expect(callAs('ann')).rejects.toMatchObject({ code: 'DESCRIBE_CIRCUIT_OPEN', cause: boom });
    expect(registry.getAll().size).toBe(1);
    registry.remove('orders');
  });

  it('answers with the fallback of the callable, never with that of another request', async () => {
    const fallback = (user: string) => ({ fallback: () => `cached for ${user}`, failureThreshold: 1 });
    await expect(callAs('ann', true, fallback('ann'))).resolves.toBe('cached for ann');
    await expect(callAs('bob', false, fallback('bob'))).resolves.toBe('cached for bob');
    await expect(callAs('eve')).rejects.toMatchObject({ code: 'DESCRIBE_CIRCUIT_OPEN' });
    expect(registry.get('orders')?.getStats().totals.fellBack).toBe(2);
    registry.remove('orders');
  });

  it('keeps the types and hands the call to the action as this', async () => {
    const greet = createCircuitBreaker(
      'greet',
      function (name: string, times: number): string {
        expect(this.signal.aborted).toBe(false);
        return `hi ${name}`.repeat(times);
      },
      { registry },
    );
    const greeting: string = await greet('ann', 1);
    expect(greeting).toBe('hi ann');
    expect(greet.breaker.name).toBe('greet');
  });

  it('refuses a data option that differs from the one in use, and names it', async () => {
    await callAs('ann', false, { failureThreshold: 3 });
    expect(() => callAs('ann', false, { failureThreshold: 4, windowMs: 60_000 })).toThrow(
      expect.objectContaining({
        code: 'DESCRIBE_CONFIG_INVALID',
        issues: [{ option: 'failureThreshold', expected: '3, as where the name was first used', got: '4' }],
      }),
    );
    await callAs('ann');
    await callAs('ann', false, { failureThreshold: 3, isFailure: () => false });
  });

  it('refuses windowMs where windowCalls is in use, although that is what windowMs is by default', () => {
    createCircuitBreaker('n', () => 1, { registry, windowCalls: 20 });
    expect(() => createCircuitBreaker('n', () => 1, { registry, windowMs: 60_000 })).toThrow(
      /windowMs: expected nothing, as where the name was first used/,
    );
  });

  it('rejects, and does not throw, when its name was removed and has come back with other options', async () => {
    const call = createCircuitBreaker('n', () => 1, { registry, failureThreshold: 3 });
    registry.remove('n');
    createCircuitBreaker('n', () => 1, { registry, failureThreshold: 4 });
    const outcome = call();
    await expect(outcome).rejects.toMatchObject({ code: 'DESCRIBE_CONFIG_INVALID' });
  });

  it.each([
    ['null options', () => createCircuitBreaker('x', () => 1, null as never)],
    ['options that are none', () => createCircuitBreaker('x', () => 1, 'fast' as never)],
    ['a registry that is null', () => createCircuitBreaker('x', () => 1, { registry: null } as never)],
    ['null options of the registry', () => registry.getOrCreate('x', null as never)],
    ['null options of a wrapper', () => withCircuitBreaker('x', () => 1, null as never)],
    ['a handler that is null', () => withCircuitBreaker('x', null as never, { handler: 'node', registry })],
    ['a route that is null', () => withCircuitBreaker('x', null as never, { handler: 'fetch', registry })],
  ])('refuses %s', (_what, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'DESCRIBE_CONFIG_INVALID' }));
    expect(registry.getAll().size).toBe(0);
  });

  it('ignores a callers abort by a signal among the arguments', async () => {
    const controller = new AbortController();
    const hang = createCircuitBreaker(
      'hang',
      (signal: AbortSignal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
      { registry, failureThreshold: 1 },
    );
    const call = hang(controller.signal);
    controller.abort(boom);
    await expect(call).rejects.toBe(boom);
    expect(hang.breaker.state).toBe('CLOSED');
  });

  it('lists everything wrong with name, action and options', () => {
    expect(() => createCircuitBreaker('', null as never, { registry })).toThrow(/name: .*; action: /);
    expect(() => createCircuitBreaker('x', () => 1, { registry, failureTreshold: 1 } as never)).toThrow(
      /did you mean failureThreshold/,
    );
    expect(() =>
      createCircuitBreaker('x', () => 1, {
        registry,
        windowMs: 1,
        windowCalls: 5,
        minimumCalls: 6,
        slowCallRatio: 1,
      }),
    ).toThrow(/windowCalls: .*; minimumCalls: .*; slowCallRatio: /);
    expect(registry.getAll().size).toBe(0);
  });
});

describe('CircuitBreakerRegistry', () => {
  const touch = (name: string) => createCircuitBreaker(name, async () => name, { registry });

  it('drops the idle breaker that was not used for longest', async () => {
    const first = touch('a');
    touch('b');
    touch('c');
    await first();
    touch('d');
    expect([...registry.getAll().keys()]).toEqual(['a', 'c', 'd']);
  });

  it('keeps open and running breakers while there is an idle one', async () => {
    touch('a').breaker.isolate();
    const pending = new Promise<void>(() => {});
    void createCircuitBreaker('b', () => pending, { registry })();
    touch('c');
    touch('d');
    expect([...registry.getAll().keys()]).toEqual(['a', 'b', 'd']);
  });

  it('stays bounded when none is idle', () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) touch(name).breaker.open();
    expect([...registry.getAll().keys()]).toEqual(['c', 'd', 'e']);
  });

  it('never drops what was isolated, and holds one more where all is', async () => {
    const first = touch('a');
    for (const name of ['a', 'b', 'c', 'd']) touch(name).breaker.isolate();
    for (const name of ['e', 'f', 'g']) touch(name);
    expect([...registry.getAll().keys()]).toEqual(['a', 'b', 'c', 'd', 'g']);
    await expect(first()).rejects.toMatchObject({ code: 'DESCRIBE_CIRCUIT_OPEN' });
    registry.resetAll();
    touch('h');
    expect(registry.getAll().size).toBe(3);
  });

  it('gives a callable of a dropped name a new breaker', async () => {
    const call = touch('a');
    const before = call.breaker;
    expect(registry.remove('a')).toBe(true);
    expect(registry.remove('a')).toBe(false);
    await expect(call()).resolves.toBe('a');
    expect(registry.get('a')).not.toBe(before);
    expect(call.breaker).toBe(registry.get('a'));
  });

  it('tells healthy from unhealthy by name, JSON-safe, and resets all', () => {
    touch('__proto__');
    touch('b').breaker.isolate();
    const { healthy, unhealthy } = registry.getHealthStatus();
    expect(Object.keys(healthy)).toEqual(['__proto__']);
    expect(unhealthy['b']?.state).toBe('ISOLATED');
    expect(JSON.parse(JSON.stringify(unhealthy))).toEqual(unhealthy);
    registry.resetAll();
    expect(Object.keys(registry.getHealthStatus().unhealthy)).toEqual([]);
  });

  it('is one for the whole process', async () => {
    vi.resetModules();
    const [one, other] = [await import('./index.ts'), await import('./registry.ts')];
    expect(one.circuitBreakerRegistry).toBe(other.circuitBreakerRegistry);
    vi.resetModules();
    const copy = await import('./registry.ts');
    expect(copy.CircuitBreakerRegistry).not.toBe(other.CircuitBreakerRegistry);
    expect(copy.circuitBreakerRegistry).toBe(other.circuitBreakerRegistry);
  });
});
