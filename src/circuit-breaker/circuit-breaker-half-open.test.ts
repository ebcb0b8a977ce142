import { describe, expect, it, vi } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';
import {
  abort,
  boom,
  clock,
  fail,
  halfOpenBreaker,
  makeBreaker,
  onManualClock,
  openBreaker,
  settle,
  succeed,
  times,
} from './breaker-stories.fixture.ts';

onManualClock();

describe('a half-open breaker', () => {
  it('closes after a successful probe, with a clean slate', async () => {
    const breaker = await halfOpenBreaker();
    await expect(breaker.fire(succeed)).resolves.toBe('fine');
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.getStats().window).toMatchObject({ calls: 0, consecutiveFailures: 0 });
  });

  it('opens again after a failed probe', async () => {
    const breaker = await halfOpenBreaker();
    await times(1, breaker, fail);
    expect(breaker.state).toBe('OPEN');
  });

  it('closes after the third half-open success', async () => {
    const breaker = await halfOpenBreaker({ halfOpenMaxCalls: 3 });
    await times(2, breaker, succeed);
    expect(breaker.state).toBe('HALF_OPEN');
    await times(1, breaker, succeed);
    expect(breaker.state).toBe('CLOSED');
  });

  it('lets no more probes through than it may', async () => {
    const breaker = await halfOpenBreaker({ halfOpenMaxCalls: 2 });
    const gate = new Deferred<string>();
    const probes = [breaker.fire(() => gate.promise), breaker.fire(() => gate.promise)];
    await expect(breaker.fire(succeed)).rejects.toMatchObject({
      code: 'DESCRIBE_CIRCUIT_OPEN',
      retryAfterMs: 1_000,
      cause: boom,
    });
    gate.resolve('fine');
    await Promise.all(probes);
    expect(breaker.state).toBe('CLOSED');
  });

  it('closes when enough probes succeed, and opens as soon as they no longer can', async () => {
    const options = { halfOpenMaxCalls: 4, halfOpenSuccessRatio: 0.5 };
    const closing = await halfOpenBreaker(options);
    await times(2, closing, fail);
    await times(2, closing, succeed);
    expect(closing.state).toBe('CLOSED');
    const opening = await halfOpenBreaker(options);
    await times(3, opening, fail);
    expect(opening.state).toBe('OPEN');
    closing.shutdown();
  });

  it('gives the place of a neutral probe back without a verdict', async () => {
    const breaker = await halfOpenBreaker();
    await times(3, breaker, abort);
    expect(breaker.state).toBe('HALF_OPEN');
    await times(1, breaker, succeed);
    expect(breaker.state).toBe('CLOSED');
  });

  it('takes a slow probe for a failed one', async () => {
    const breaker = await halfOpenBreaker({ slowCallDurationMs: 100 });
    const gate = new Deferred<string>();
    const probe = breaker.fire(() => gate.promise);
    await clock.advance(100);
    gate.resolve('phew');
    await expect(probe).resolves.toBe('phew');
    expect(breaker.state).toBe('OPEN');
  });

  it('ends a hung probe by its deadline, aborts it and opens again', async () => {
    const breaker = await halfOpenBreaker({ halfOpenTimeoutMs: 200 });
    let signal: AbortSignal | undefined;
    const probe = settle(
      breaker.fire((own) => {
        signal = own;
        return new Promise(() => {});
      }),
    );
    await clock.advance(200);
    await expect(probe).resolves.toMatchObject({ code: 'DESCRIBE_TIMEOUT', timeoutMs: 200 });
    expect(signal?.aborted).toBe(true);
    expect(breaker.state).toBe('OPEN');
  });
});

describe('manual commands', () => {
  it('opens for one break', async () => {
    const breaker = makeBreaker();
    breaker.open();
    await expect(breaker.fire(succeed)).rejects.toMatchObject({ code: 'DESCRIBE_CIRCUIT_OPEN' });
    await clock.advance(1_000);
    expect(breaker.state).toBe('HALF_OPEN');
  });

  it('isolates until closed, whatever the time', async () => {
    const breaker = await openBreaker();
    breaker.isolate();
    expect(vi.getTimerCount()).toBe(0);
    await clock.advance(10_000_000);
    expect(breaker.state).toBe('ISOLATED');
    const rejection = await settle(breaker.fire(succeed));
    expect(rejection).toMatchObject({ code: 'DESCRIBE_CIRCUIT_OPEN', retryable: false, cause: boom });
    expect((rejection as { retryAfterMs?: number }).retryAfterMs).toBeUndefined();
    breaker.close();
    await expect(breaker.fire(succeed)).resolves.toBe('fine');
    breaker.open();
    breaker.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('closes at once and forgets what it knew', async () => {
    const breaker = makeBreaker();
    await times(4, breaker, fail);
    breaker.close();
    await times(4, breaker, fail);
    expect(breaker.state).toBe('CLOSED');
  });

  it('ends: leaves no timer, refuses calls, lets running ones end', async () => {
    const breaker = await halfOpenBreaker();
    const gate = new Deferred<string>();
    const probe = breaker.fire(() => gate.promise);
    breaker.shutdown();
    breaker.shutdown();
    breaker.close();
    await expect(breaker.fire(succeed)).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
    gate.resolve('still fine');
    await expect(probe).resolves.toBe('still fine');
    expect(vi.getTimerCount()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a shut down breaker', () => {
  it('does not come back by a command or a late outcome', async () => {
    const breaker = makeBreaker({ failureThreshold: 1 });
    const gate = new Deferred<string>();
    const running = settle(breaker.fire(() => gate.promise));
    breaker.shutdown();
    breaker.open();
    breaker.isolate();
    breaker.close();
    gate.reject(boom);
    await expect(running).resolves.toBe(boom);
    expect(breaker.state).toBe('ISOLATED');
    expect(breaker.getStats().totals).toMatchObject({ failed: 1, late: 1, opened: 0 });
    await expect(breaker.fire(succeed)).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
    expect(vi.getTimerCount()).toBe(0);
  });
});
