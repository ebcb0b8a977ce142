import { describe, expect, it, vi } from 'vitest';
import { UpstreamError } from '../errors/upstream-error.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { RetryPolicy } from './retry-policy.ts';

const outage = () => new UpstreamError('DESCRIBE_UPSTREAM', 'down', { retryable: true, status: 500 });
const throttle = (retryAfterMs: number) =>
  new UpstreamError('DESCRIBE_RATE_LIMITED', 'slow down', { retryable: true, retryAfterMs });

/** Runs work that fails with each error in turn and then succeeds; returns when every attempt began. */
const runFailing = (errors: readonly unknown[], options: ConstructorParameters<typeof RetryPolicy>[0] = {}) => {
  const clock = new ManualClock();
  const startedAtMs: number[] = [];
  const policy = new RetryPolicy({ clock, random: () => 0.5, ...options });
  const run = (runOptions?: Parameters<RetryPolicy['run']>[1]) => {
    const outcome = policy.run(async ({ attempt }) => {
      startedAtMs.push(clock.now());
      if (attempt <= errors.length) throw errors[attempt - 1];
      return 'done';
    }, runOptions);
    outcome.catch(() => {});
    return outcome;
  };
  return { clock, startedAtMs, run };
};

describe('RetryPolicy', () => {
  it('returns at once what succeeds at once', async () => {
    const { run, startedAtMs } = runFailing([]);
    await expect(run()).resolves.toBe('done');
    expect(startedAtMs).toEqual([0]);
  });

  it('waits by decorrelated jitter between attempts', async () => {
    const { run, clock, startedAtMs } = runFailing([outage(), outage()]);
    const outcome = run();
    await clock.advance(60_000);
    await expect(outcome).resolves.toBe('done');
    // 250 + 0.5 · (750 - 250) = 500, then 250 + 0.5 · (1500 - 250) = 875.
    expect(startedAtMs).toEqual([0, 500, 1375]);
  });

  it('waits between initialDelayMs and maxDelayMs', async () => {
    const waits = { initialDelayMs: 10, maxDelayMs: 40, random: () => 1 };
    const { run, clock, startedAtMs } = runFailing([outage(), outage(), outage()], { ...waits, maxAttempts: 4 });
    run();
    await clock.advance(60_000);
    // Three times the wait before, and at most maxDelayMs.
    expect(startedAtMs).toEqual([0, 30, 70, 110]);
  });

  it('rejects with the last error, unwrapped, once the attempts are used up', async () => {
    const errors = [outage(), outage(), outage(), outage()];
    const { run, clock, startedAtMs } = runFailing(errors);
    const outcome = run();
    await clock.advance(60_000);
    await expect(outcome).rejects.toBe(errors[2]);
    expect(startedAtMs).toHaveLength(3);
  });

  it('makes no attempt that is held back for longer than there is time', async () => {
    const error = throttle(10);
    const { run, startedAtMs } = runFailing([error, error], { isPaced: () => true });
    await expect(run({ deadlineAtMs: 1_000, heldBackMs: () => 1_000 })).rejects.toBe(error);
    expect(startedAtMs).toHaveLength(1);
    await expect(run({ deadlineAtMs: 1_000, heldBackMs: () => 999 })).resolves.toBe('done');
  });

  it('never retries a final error', async () => {
    const error = new UpstreamError('DESCRIBE_QUOTA_EXHAUSTED', 'no credit');
    const { run, startedAtMs } = runFailing([error]);
    await expect(run()).rejects.toBe(error);
    expect(startedAtMs).toEqual([0]);
  });

  it('never returns before Retry-After, even above its own cap', async () => {
    const { run, clock, startedAtMs } = runFailing([throttle(30_000)], { maxDelayMs: 1000 });
    const outcome = run();
    await clock.advance(29_999);
    expect(startedAtMs).toEqual([0]);
    await clock.advance(1501);
    await expect(outcome).resolves.toBe('done');
    expect(startedAtMs).toEqual([0, 31_500]);
  });

  it('does not begin a wait that would pass the deadline', async () => {
    const error = throttle(30_000);
    const { run, clock } = runFailing([error]);
    await expect(run({ deadlineAtMs: 10_000 })).rejects.toBe(error);
    expect(clock.now()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends a wait at once when aborted, with the reason', async () => {
    const { run, clock, startedAtMs } = runFailing([outage()]);
    const controller = new AbortController();
    const outcome = run({ signal: controller.signal });
    await clock.advance(1);
    controller.abort('enough');
    await expect(outcome).rejects.toBe('enough');
    expect(clock.pendingTimers).toBe(0);
    expect(startedAtMs).toEqual([0]);
  });

  it('starts nothing when already aborted', async () => {
    const { run, startedAtMs } = runFailing([]);
    await expect(run({ signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    expect(startedAtMs).toEqual([]);
  });

  it('tells of every retry, and does not mind a callback that throws', async () => {
    const onRetry = vi.fn(() => {
      throw new Error('callback');
    });
    const error = outage();
    const { run, clock } = runFailing([error], { onRetry });
    const outcome = run();
    await clock.advance(60_000);
    await expect(outcome).resolves.toBe('done');
    expect(onRetry).toHaveBeenCalledExactlyOnceWith({ attempt: 1, error, delayMs: 500 });
  });

  it('takes an isRetryable that throws for a no', async () => {
    const error = outage();
    const isRetryable = () => {
      throw new Error('predicate');
    };
    await expect(runFailing([error], { isRetryable }).run()).rejects.toBe(error);
  });

  it('swallows what async callbacks reject with', async () => {
    const rejecting = async () => {
      throw new Error('callback');
    };
    const error = outage();
    const asPredicate = rejecting as unknown as () => boolean;
    await expect(runFailing([error], { isRetryable: asPredicate }).run()).rejects.toBe(error);
    const { run, clock } = runFailing([error], { onRetry: rejecting });
    const outcome = run();
    await clock.advance(60_000);
    await expect(outcome).resolves.toBe('done');
  });

  it('lists wrong options', () => {
    expect(() => new RetryPolicy({ maxAttempts: 0, initialDelayMs: -1 })).toThrow(/maxAttempts.*initialDelayMs/);
  });
});
