import { describe, expect, it, vi } from 'vitest';
import { UpstreamError } from '../errors/upstream-error.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { RetryOptions } from './retry-options.ts';
import { RetryPolicy } from './retry-policy.ts';

const outage = () => new UpstreamError('DESCRIBE_UPSTREAM', 'down', { retryable: true, status: 500 });

const policyOf = (options: RetryOptions) => {
  const clock = new ManualClock();
  const policy = new RetryPolicy({ clock, random: () => 0.5, ...options });
  let attempts = 0;
  const errors: unknown[] = [];
  const run = (runOptions?: Parameters<RetryPolicy['run']>[1], makeError: () => unknown = outage) => {
    const outcome = policy.run(async () => {
      attempts += 1;
      const error = makeError();
      errors.push(error);
      throw error;
    }, runOptions);
    outcome.catch(() => {});
    return outcome;
  };
  return { clock, policy, run, errors, attempts: () => attempts };
};

describe("the user's shouldRetry", () => {
  it('forbids a retry that would be made, and the error stands', async () => {
    const { run, errors, policy } = policyOf({ shouldRetry: () => false });
    await expect(run()).rejects.toBe(errors[0] ?? expect.anything());
    expect(errors).toHaveLength(1);
    expect(policy.getStats()).toMatchObject({ retries: 0, gaveUp: { declined: 1 } });
  });

  it('gets the error, the attempts made, the time since the start and the wait', async () => {
    const shouldRetry = vi.fn(() => true);
    const { run, clock, errors } = policyOf({ shouldRetry });
    const { signal } = new AbortController();
    const outcome = run({ signal, retriesMade: 0 });
    await clock.advance(60_000);
    await expect(outcome).rejects.toBe(errors[2]);
    expect(shouldRetry.mock.calls).toEqual([
      [errors[0], { attempt: 1, elapsedMs: 0, delayMs: 500, signal }],
      [errors[1], { attempt: 2, elapsedMs: 500, delayMs: 875, signal }],
    ]);
  });

  it('counts the attempts of other forms of the request', async () => {
    const shouldRetry = vi.fn(() => false);
    const { run } = policyOf({ shouldRetry });
    await expect(run({ retriesMade: 1 })).rejects.toThrow();
    expect(shouldRetry).toHaveBeenCalledWith(expect.anything(), expect.objectContaining({ attempt: 2 }));
  });

  it('can not allow a retry of a final error, nor one after the last attempt', async () => {
    const shouldRetry = vi.fn(() => true);
    const refused = () => new UpstreamError('DESCRIBE_REFUSED', 'no');
    const { run, attempts } = policyOf({ shouldRetry, maxAttempts: 1 });
    await expect(run(undefined, refused)).rejects.toThrow('no');
    await expect(run()).rejects.toThrow('down');
    expect(attempts()).toBe(2);
    expect(shouldRetry).not.toHaveBeenCalled();
  });

  it.each<readonly [string, RetryOptions['shouldRetry']]>([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
    ['answers no boolean', () => 'yes' as unknown as boolean],
    ['answers a promise of no boolean', async () => 1 as unknown as boolean],
  ])('makes no retry when it %s; the error of the work stands', async (_, shouldRetry) => {
    const { run, errors, policy } = policyOf({ shouldRetry });
    await expect(run()).rejects.toThrow('down');
    expect(errors).toHaveLength(1);
    expect(policy.getStats().gaveUp.declined).toBe(1);
  });

  it('may answer later', async () => {
    const clock = new ManualClock();
    const shouldRetry = () => new Promise<boolean>((resolve) => void clock.setTimeout(() => resolve(true), 100));
    const { run, attempts } = policyOf({ shouldRetry, clock, maxAttempts: 2 });
    const outcome = run();
    await clock.advance(599);
    expect(attempts()).toBe(1);
    await clock.advance(1);
    await expect(outcome).rejects.toThrow('down');
    expect(attempts()).toBe(2);
  });

  it('is left at once when the signal aborts, and at the deadline', async () => {
    const { run, clock, policy } = policyOf({ shouldRetry: () => new Promise<boolean>(() => {}) });
    const controller = new AbortController();
    const aborted = run({ signal: controller.signal });
    await clock.flush();
    controller.abort(new Error('gone'));
    await expect(aborted).rejects.toThrow('gone');
    const late = run({ deadlineAtMs: 5_000 });
    await clock.advance(4_999);
    await clock.advance(1);
    await expect(late).rejects.toThrow('down');
    expect(policy.getStats().gaveUp).toMatchObject({ deadline: 1, declined: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('makes no attempt for which its answer left no time', async () => {
    const clock = new ManualClock();
    const shouldRetry = () => new Promise<boolean>((resolve) => void clock.setTimeout(() => resolve(true), 4_800));
    const { run, policy, attempts } = policyOf({ shouldRetry, clock });
    const outcome = run({ deadlineAtMs: 5_000 });
    await clock.advance(4_800);
    await expect(outcome).rejects.toThrow('down');
    expect([attempts(), policy.getStats().gaveUp.deadline]).toEqual([1, 1]);
  });

  it('spends nothing of the budget on a retry that it forbids', async () => {
    const { run, policy } = policyOf({ shouldRetry: () => false, budget: { minRetries: 1, retryRatio: 0 } });
    for (let index = 0; index < 5; index += 1) await expect(run()).rejects.toThrow();
    expect(policy.getStats().gaveUp).toMatchObject({ declined: 5, budget: 0 });
  });

  it('must be a function', () => {
    expect(() => new RetryPolicy({ shouldRetry: 'always' as never })).toThrow(/shouldRetry/);
  });
});
