import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';
import {
  abort,
  boom,
  clock,
  fail,
  halfOpenBreaker,
  makeBreaker,
  onManualClock,
  settle,
  succeed,
} from './breaker-stories.fixture.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { createCircuitBreaker } from './create-circuit-breaker.ts';
import type { NodeHandlerResponse } from './handlers/node-exchange.ts';
import { withCircuitBreaker } from './handlers/with-circuit-breaker.ts';
import { CircuitBreakerRegistry } from './registry.ts';

onManualClock();

const refused = { code: 'DESCRIBE_CIRCUIT_OPEN', retryAfterMs: 1_000 };

/** A half-open breaker whose only probe runs until its gate settles. */
async function probedBreaker(options: Parameters<typeof halfOpenBreaker>[0] = {}) {
  const breaker = await halfOpenBreaker({ halfOpenMaxWaitMs: 500, ...options });
  const gate = new Deferred<string>();
  const probe = settle(breaker.fire(() => gate.promise));
  return { breaker, gate, probe };
}

describe('a call that waits for the outcome of a trial', () => {
  it('is made once the probe has succeeded', async () => {
    const { breaker, gate } = await probedBreaker();
    const log: string[] = [];
    const waiting = breaker.fire(() => String(log.push('ran')));
    await clock.flush();
    expect(log).toEqual([]);
    expect(breaker.getStats()).toMatchObject({ running: 1, probes: { running: 1, waiting: 1 } });
    gate.resolve('fine');
    await expect(waiting).resolves.toBe('1');
    expect(breaker.getStats()).toMatchObject({ state: 'CLOSED', totals: { succeeded: 2, rejected: 0 } });
  });

  it('is refused once the probe has failed, with the length of the new break', async () => {
    const { breaker, gate } = await probedBreaker();
    const waiting = settle(breaker.fire(succeed));
    gate.reject(boom);
    await expect(waiting).resolves.toMatchObject({ ...refused, cause: boom });
  });

  it('becomes the next probe when the probe was neutral, in the order of arrival', async () => {
    const { breaker, gate } = await probedBreaker();
    const order: number[] = [];
    const next = new Deferred<string>();
    const first = breaker.fire(() => {
      order.push(1);
      return next.promise;
    });
    const second = breaker.fire(() => String(order.push(2)));
    gate.reject(new DOMException('gone', 'AbortError'));
    await clock.flush();
    expect(order).toEqual([1]);
    expect(breaker.getStats().probes).toMatchObject({ running: 1, waiting: 1 });
    // A later call does not overtake.
    const third = breaker.fire(() => String(order.push(3)));
    next.resolve('fine');
    await Promise.all([first, second, third]);
    expect(order).toEqual([1, 2, 3]);
  });

  it('is refused after `halfOpenMaxWaitMs`, and its timer is gone', async () => {
    const { breaker, gate, probe } = await probedBreaker();
    const waiting = settle(breaker.fire(succeed));
    await clock.advance(499);
    expect(breaker.getStats().probes.waiting).toBe(1);
    await clock.advance(1);
    await expect(waiting).resolves.toMatchObject(refused);
    gate.resolve('fine');
    await probe;
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves at once when a signal among its arguments aborts, with the reason', async () => {
    type Options = { readonly signal: AbortSignal };
    const gate = new Deferred<string>();
    const breaker = new CircuitBreaker('signals', (_: Options, run: () => unknown) => run(), {
      ...{ clock, failureThreshold: 1, resetTimeoutMs: 1_000, halfOpenMaxWaitMs: 500 },
    });
    const { signal } = new AbortController();
    await settle(breaker.fire({ signal }, () => Promise.reject(boom)));
    await clock.advance(1_000);
    const probe = breaker.fire({ signal }, () => gate.promise);
    const controller = new AbortController();
    let ran = false;
    const run = () => {
      ran = true;
    };
    const waiting = settle(breaker.fire({ signal: controller.signal }, run));
    await clock.flush();
    controller.abort(new Error('mine'));
    await expect(waiting).resolves.toMatchObject({ message: 'mine' });
    const late = settle(breaker.fire({ signal: controller.signal }, run));
    await expect(late).resolves.toMatchObject({ message: 'mine' });
    expect(breaker.getStats()).toMatchObject({ probes: { waiting: 0 }, totals: { ignored: 2, rejected: 0 } });
    gate.resolve('fine');
    await probe;
    expect(ran).toBe(false);
    breaker.shutdown();
  });

  it('counts the wait towards `timeoutMs`', async () => {
    const { breaker, gate } = await probedBreaker({ timeoutMs: 400, halfOpenTimeoutMs: 399 });
    const waiting = settle(breaker.fire(() => new Promise(() => {})));
    const refusedCall = settle(breaker.fire(succeed));
    await clock.advance(300);
    gate.resolve('fine');
    await expect(refusedCall).resolves.toBe('fine');
    await clock.advance(99);
    expect(breaker.running).toBe(1);
    await clock.advance(1);
    await expect(waiting).resolves.toMatchObject({ code: 'DESCRIBE_TIMEOUT', timeoutMs: 400 });
  });

  it('is refused at once where as many wait as may', async () => {
    const { breaker, gate, probe } = await probedBreaker({ halfOpenMaxWaiting: 2 });
    const waiting = [settle(breaker.fire(succeed)), settle(breaker.fire(succeed))];
    await expect(settle(breaker.fire(succeed))).resolves.toMatchObject(refused);
    gate.resolve('fine');
    await probe;
    expect(await Promise.all(waiting)).toEqual(['fine', 'fine']);
  });

  it('is refused when the breaker is isolated or shut down, and made when it is closed by hand', async () => {
    const stories = [
      ['isolate', { code: 'DESCRIBE_CIRCUIT_OPEN', retryable: false }],
      ['shutdown', { code: 'DESCRIBE_CLOSED' }],
      ['open', { code: 'DESCRIBE_CIRCUIT_OPEN' }],
      ['close', 'fine'],
    ] as const;
    for (const [command, outcome] of stories) {
      const { breaker, gate, probe } = await probedBreaker();
      const waiting = settle(breaker.fire(succeed));
      breaker[command]();
      if (typeof outcome === 'string') await expect(waiting).resolves.toBe(outcome);
      else await expect(waiting).resolves.toMatchObject(outcome);
      gate.resolve('fine');
      await probe;
    }
    expect(clock.pendingTimers).toBe(0);
  });

  it('gets the fallback where it is refused', async () => {
    const { breaker, gate } = await probedBreaker({ fallback: () => 'instead' });
    const waiting = breaker.fire(succeed);
    gate.reject(boom);
    await expect(waiting).resolves.toBe('instead');
  });

  it('is off by default', async () => {
    const breaker = await halfOpenBreaker();
    const gate = new Deferred<string>();
    const probe = breaker.fire(() => gate.promise);
    await expect(settle(breaker.fire(succeed))).resolves.toMatchObject(refused);
    gate.resolve('fine');
    await probe;
  });

  it('has options that are checked', () => {
    expect(() => makeBreaker({ halfOpenMaxWaitMs: -1 })).toThrow(/halfOpenMaxWaitMs/);
    expect(() => makeBreaker({ halfOpenMaxWaiting: 0 })).toThrow(/halfOpenMaxWaiting/);
  });
});

describe('waiting calls over random histories', () => {
  it('all settle in time; probes and waiting calls stay within their bounds', async () => {
    const seen = { ran: 0, refused: 0, waited: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.record({ maxCalls: fc.integer({ min: 1, max: 3 }), maxWaiting: fc.integer({ min: 1, max: 4 }) }),
        fc.array(
          fc.oneof(
            { weight: 6, arbitrary: fc.constant('start') },
            { weight: 4, arbitrary: fc.constantFrom('succeed', 'fail', 'neutral', 'neutral') },
            { weight: 2, arbitrary: fc.integer({ min: 1, max: 400 }) },
            { weight: 1, arbitrary: fc.constantFrom('isolate', 'close', 'open') },
          ),
          { maxLength: 60, size: 'max' },
        ),
        async ({ maxCalls, maxWaiting }, steps) => {
          const breaker = await halfOpenBreaker({
            ...{ halfOpenMaxCalls: maxCalls, halfOpenMaxWaiting: maxWaiting, halfOpenMaxWaitMs: 500 },
            halfOpenTimeoutMs: 2_000,
          });
          const gates: Deferred<string>[] = [];
          const calls: { readonly outcome: Promise<unknown>; ended: boolean; ran: boolean; atMs: number }[] = [];
          const start = () => {
            const call = { outcome: Promise.resolve<unknown>(0), ended: false, ran: false, atMs: clock.now() };
            call.outcome = settle(
              breaker.fire(() => {
                call.ran = true;
                const gate = new Deferred<string>();
                gates.push(gate);
                return gate.promise;
              }),
            ).then((outcome) => {
              call.ended = true;
              if (!call.ran) expect(outcome).toMatchObject({ code: 'DESCRIBE_CIRCUIT_OPEN' });
            });
            calls.push(call);
          };
          for (const step of steps) {
            if (step === 'start') start();
            else if (step === 'succeed') gates.shift()?.resolve('fine');
            else if (step === 'fail') gates.shift()?.reject(boom);
            else if (step === 'neutral') gates.shift()?.reject(new DOMException('gone', 'AbortError'));
            else if (typeof step === 'number') await clock.advance(step);
            else breaker[step as 'isolate']();
            await clock.flush();
            const { state, probes } = breaker.getStats();
            seen.waited += probes.waiting;
            expect(probes.waiting).toBeLessThanOrEqual(maxWaiting);
            if (state === 'HALF_OPEN') expect(probes.running).toBeLessThanOrEqual(maxCalls);
            else expect(probes.waiting).toBe(0);
            // A free slot never stands beside a waiting call.
            if (probes.waiting > 0) expect(probes.running + probes.succeeded + probes.failed).toBe(maxCalls);
            for (const call of calls) if (!call.ran && clock.now() - call.atMs >= 500) expect(call.ended).toBe(true);
          }
          breaker.close();
          for (const gate of gates) gate.resolve('fine');
          await clock.advance(2_000);
          for (const gate of gates) gate.resolve('fine');
          await Promise.all(calls.map(({ outcome }) => outcome));
          for (const { ran } of calls) seen[ran ? 'ran' : 'refused'] += 1;
          breaker.shutdown();
        },
      ),
      { numRuns: 150, seed: 20_261_128 },
    );
    expect(seen.ran).toBeGreaterThan(300);
    expect(seen.refused).toBeGreaterThan(100);
    expect(seen.waited).toBeGreaterThan(300);
  });
});

describe('`isFailure` and the arguments of the call', () => {
  it('gets them beside the error, and decides by them', async () => {
    const seen: unknown[] = [];
    const breaker = new CircuitBreaker('args', async (_mild: boolean, _n: number) => Promise.reject(boom), {
      clock,
      failureThreshold: 1,
      isFailure: (error, args) => {
        seen.push(error, args);
        return !args[0];
      },
    });
    await settle(breaker.fire(true, 7));
    expect(breaker.getStats()).toMatchObject({ state: 'CLOSED', totals: { ignored: 1, failed: 0 } });
    expect(seen).toEqual([boom, [true, 7]]);
    await settle(breaker.fire(false, 8));
    expect(breaker.state).toBe('OPEN');
    breaker.shutdown();
  });

  it('gets those of the callable, and the request and response of a handler', async () => {
    const registry = new CircuitBreakerRegistry();
    const seen: unknown[] = [];
    const isFailure = (_: unknown, args: readonly unknown[]) => {
      seen.push(...args);
      return true;
    };
    const call = createCircuitBreaker('callable', (_: number) => Promise.reject(boom), { registry, isFailure, clock });
    await settle(call(3));
    const handler = withCircuitBreaker(
      'handler',
      async (_request: object, _response: NodeHandlerResponse) => {
        throw boom;
      },
      { registry, isFailure, clock, handler: 'node' },
    );
    const [request, response] = [{}, new ServerResponse(new IncomingMessage(new Socket()))];
    await settle(handler(request, response, () => {}));
    expect(seen).toEqual([3, request, response, expect.any(Function)]);
    expect(seen[1]).toBe(request);
  });

  it('counts as a failure where it throws', async () => {
    const breaker = makeBreaker({
      failureThreshold: 1,
      isFailure: (_, [run]) => {
        throw new Error(String(run));
      },
    });
    await settle(breaker.fire(fail));
    expect(breaker.state).toBe('OPEN');
    await settle(breaker.fire(abort));
  });
});
