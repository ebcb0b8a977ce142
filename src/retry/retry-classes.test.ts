import { describe, expect, it, vi } from 'vitest';
import { UpstreamError } from '../errors/upstream-error.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { RetryBudget } from './retry-budget.ts';
import type { RetryGiveUpEvent, RetryOptions } from './retry-options.ts';
import { RetryPolicy, type RetryRunOptions } from './retry-policy.ts';

const outage = () => new UpstreamError('DESCRIBE_UPSTREAM', 'down', { retryable: true, status: 500 });
const throttle = (retryAfterMs?: number) =>
  new UpstreamError('DESCRIBE_RATE_LIMITED', 'slow down', { retryable: true, retryAfterMs });
const noContent = () => new UpstreamError('DESCRIBE_RESPONSE_INVALID', 'no JSON', { retryable: true, status: 200 });

/** Runs work that takes `attemptMs`. It fails with the error that `failing` gives for an attempt, else succeeds. */
const policyOver = (failing: (attempt: number) => unknown, options: RetryOptions = {}, { attemptMs = 0 } = {}) => {
  const clock = new ManualClock();
  const startedAtMs: number[] = [];
  const reasons: RetryGiveUpEvent['reason'][] = [];
  const policy = new RetryPolicy({
    clock,
    random: () => 0,
    onGiveUp: ({ reason }) => reasons.push(reason),
    ...options,
  });
  const run = (runOptions?: RetryRunOptions) => {
    const outcome = policy.run(async ({ attempt }) => {
      startedAtMs.push(clock.now());
      if (attemptMs > 0) await new Promise<void>((resolve) => void clock.setTimeout(resolve, attemptMs));
      const error = failing(attempt);
      if (error !== undefined) throw error;
      return 'done';
    }, runOptions);
    outcome.catch(() => {});
    return outcome;
  };
  return { clock, policy, run, startedAtMs, reasons };
};

describe('the budget of a policy', () => {
  it('ends retries of an outage at a share of the calls, and says so', async () => {
    const { clock, policy, run, startedAtMs, reasons } = policyOver(outage);
    const calls = Array.from({ length: 100 }, () => run());
    await clock.advance(5000);
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(startedAtMs).toHaveLength(120);
    expect(reasons.filter((reason) => reason === 'budget').length).toBeGreaterThan(80);
    expect(policy.getStats()).toMatchObject({
      retries: 20,
      budget: { calls: 100, retries: 20, available: 0 },
    });
  });

  it('leaves three retries to those who call rarely', async () => {
    const { clock, run, startedAtMs } = policyOver(outage, { maxAttempts: 10 });
    const outcome = run();
    await clock.advance(60_000);
    await expect(outcome).rejects.toMatchObject({ code: 'DESCRIBE_UPSTREAM' });
    expect(startedAtMs).toHaveLength(4);
  });

  it('is not there with false', async () => {
    const { clock, policy, run, startedAtMs } = policyOver(outage, { maxAttempts: 10, budget: false });
    run();
    await clock.advance(60_000);
    expect(startedAtMs).toHaveLength(10);
    expect(policy.getStats()).not.toHaveProperty('budget');
  });

  it('has the share, the minimum and the window that it is given', async () => {
    const budget = { retryRatio: 0.5, minRetries: 1, windowMs: 1_000 };
    const { clock, policy, run, startedAtMs } = policyOver(outage, { maxAttempts: 2, budget });
    expect(policy.getStats().budget).toMatchObject({ available: 1, windowMs: 1_000 });
    for (let call = 0; call < 10; call += 1) run();
    await clock.advance(500);
    expect(startedAtMs).toHaveLength(15);
  });

  it('goes by its own clock where it has one', async () => {
    const ownClock = new ManualClock();
    const { clock, policy, run } = policyOver(outage, { budget: { minRetries: 1, clock: ownClock } });
    run();
    await clock.advance(60_000);
    expect(policy.getStats().budget).toMatchObject({ available: 0 });
    await ownClock.advance(60_000);
    expect(policy.getStats().budget).toMatchObject({ available: 1 });
  });

  it('can be shared by policies', async () => {
    const budget = new RetryBudget({ clock: new ManualClock(), minRetries: 1 });
    const first = policyOver(outage, { budget });
    const second = policyOver(outage, { budget });
    first.run();
    second.run();
    await first.clock.advance(10_000);
    await second.clock.advance(10_000);
    expect(first.startedAtMs.length + second.startedAtMs.length).toBe(3);
  });

  it('gives nothing for calls that wait: those that ended count', async () => {
    const { clock, policy, run } = policyOver(outage, {}, { attemptMs: 1000 });
    for (let call = 0; call < 100; call += 1) run();
    await clock.advance(999);
    expect(policy.getStats().budget).toMatchObject({ calls: 0, available: 3 });
  });

  it('is not touched by an error that is final, or that has no time left', async () => {
    const final = policyOver(() => new UpstreamError('DESCRIBE_AUTH', 'no'));
    await expect(final.run()).rejects.toMatchObject({ code: 'DESCRIBE_AUTH' });
    const late = policyOver(outage);
    await expect(late.run({ deadlineAtMs: 100 })).rejects.toMatchObject({ code: 'DESCRIBE_UPSTREAM' });
    expect([final, late].map(({ policy }) => policy.getStats().budget?.retries)).toEqual([0, 0]);
  });
});

describe('the deadline of a run', () => {
  it('begins no wait after which the fastest attempt of late could not end', async () => {
    let failing = false;
    const { clock, policy, run, startedAtMs, reasons } = policyOver(
      () => (failing ? outage() : undefined),
      {},
      { attemptMs: 400 },
    );
    const good = run();
    await clock.advance(400);
    await good;
    expect(policy.getStats().minAttemptMs).toBe(400);
    failing = true;
    // 400 ms attempt, 250 ms wait, 400 ms attempt: 1,050 ms are needed.
    const tooLate = run({ deadlineAtMs: clock.now() + 1050 });
    await clock.advance(400);
    await expect(tooLate).rejects.toMatchObject({ code: 'DESCRIBE_UPSTREAM' });
    expect(reasons).toEqual(['deadline']);
    const justInTime = run({ deadlineAtMs: clock.now() + 1051 });
    await clock.advance(1100);
    await expect(justInTime).rejects.toMatchObject({ code: 'DESCRIBE_UPSTREAM' });
    expect(startedAtMs).toHaveLength(4);
  });

  it('unlearns what was long ago', async () => {
    const { clock, policy, run } = policyOver(() => undefined, {}, { attemptMs: 10 });
    run();
    await clock.advance(10);
    expect(policy.getStats().minAttemptMs).toBe(10);
    await clock.advance(59_000);
    expect(policy.getStats().minAttemptMs).toBe(10);
    await clock.advance(62_000);
    expect(policy.getStats().minAttemptMs).toBe(0);
  });

  it('takes minAttemptMs as it is given', async () => {
    const { run, reasons, clock } = policyOver(outage, { minAttemptMs: 5000 });
    await expect(run({ deadlineAtMs: 5250 })).rejects.toMatchObject({ code: 'DESCRIBE_UPSTREAM' });
    expect(reasons).toEqual(['deadline']);
    run({ deadlineAtMs: 5251 });
    await clock.flush();
    expect(clock.pendingTimers).toBe(1);
  });
});

describe('policies by class', () => {
  it('bound attempts and waits of each class by its own numbers', async () => {
    const policies = {
      throttle: { maxAttempts: 5, initialDelayMs: 1000 },
      content: { maxAttempts: 1 },
    };
    const throttled = policyOver(() => throttle(), { policies, budget: false });
    throttled.run();
    await throttled.clock.advance(60_000);
    expect(throttled.startedAtMs).toEqual([0, 1000, 2000, 3000, 4000]);
    const down = policyOver(outage, { policies, budget: false });
    down.run();
    await down.clock.advance(60_000);
    expect(down.startedAtMs).toEqual([0, 250, 500]);
    const empty = policyOver(noContent, { policies, budget: false });
    await expect(empty.run()).rejects.toMatchObject({ code: 'DESCRIBE_RESPONSE_INVALID' });
    expect(empty.reasons).toEqual(['attempts']);
  });

  it.each([
    ['outage', outage],
    ['throttle', throttle],
    ['content', noContent],
  ] as const)('take each of the numbers of a class: %s', async (name, failure) => {
    const policies = { [name]: { maxAttempts: 4, initialDelayMs: 10, maxDelayMs: 40 } };
    const { clock, run, startedAtMs } = policyOver(() => failure(), { policies, budget: false, random: () => 1 });
    run();
    await clock.advance(60_000);
    // Three times the wait before, and at most maxDelayMs.
    expect(startedAtMs).toEqual([0, 30, 70, 110]);
  });

  it('end a run whose failures are mixed by the class of the last', async () => {
    const errors = [throttle(), throttle(), outage()];
    const { clock, run, startedAtMs } = policyOver((attempt) => errors[attempt - 1], {
      policies: { throttle: { maxAttempts: 9, initialDelayMs: 10 } },
    });
    run();
    await clock.advance(60_000);
    expect(startedAtMs).toEqual([0, 10, 20]);
  });

  it('know the classes by name only', () => {
    expect(() => new RetryPolicy({ policies: { outages: {} } as never })).toThrow(
      /policies\.outages.*did you mean policies\.outage\?/,
    );
    expect(() => new RetryPolicy({ policies: { outage: { maxAttempts: 0 } } })).toThrow(
      /policies\.outage\.maxAttempts/,
    );
    expect(() => new RetryPolicy({ budget: { retryRatio: 7 } })).toThrow(/budget\.retryRatio/);
  });
});

describe('what is paced elsewhere', () => {
  it('is tried again at once: who holds the limit holds the attempt back', async () => {
    const errors = [throttle(30_000), outage()];
    const { clock, run, startedAtMs } = policyOver((attempt) => errors[attempt - 1], {
      isPaced: (error) => (error as UpstreamError).code === 'DESCRIBE_RATE_LIMITED',
    });
    const outcome = run({ deadlineAtMs: 10_000 });
    await clock.advance(1000);
    await expect(outcome).resolves.toBe('done');
    expect(startedAtMs).toEqual([0, 0, 250]);
  });

  it('is told by the run too, as where the next attempt goes to another place', async () => {
    const { clock, run, startedAtMs } = policyOver((attempt) => (attempt < 3 ? outage() : undefined));
    let left = 1;
    const outcome = run({ isPaced: () => left-- > 0 });
    await clock.advance(1000);
    await expect(outcome).resolves.toBe('done');
    expect(startedAtMs).toEqual([0, 0, 250]);
  });

  it('ends with the attempts and the budget all the same', async () => {
    const { run, startedAtMs } = policyOver(() => throttle(), { isPaced: () => true, maxAttempts: 50 });
    await expect(run()).rejects.toMatchObject({ code: 'DESCRIBE_RATE_LIMITED' });
    expect(startedAtMs).toHaveLength(4);
  });
});

describe('who is told', () => {
  it('hears of each end once, with the reason, and what it throws does not matter', async () => {
    const throwing = () => {
      throw new Error('callback');
    };
    const onGiveUp = vi.fn(throwing);
    const ofRun = vi.fn(throwing);
    const onRetry = vi.fn(throwing);
    const error = outage();
    const { clock, run, policy } = policyOver(() => error, { onGiveUp });
    const outcome = run({ onGiveUp: ofRun, onRetry });
    await clock.advance(10_000);
    await expect(outcome).rejects.toBe(error);
    const event = { attempts: 3, error, reason: 'attempts' };
    expect(onGiveUp).toHaveBeenCalledExactlyOnceWith(event);
    expect(ofRun).toHaveBeenCalledExactlyOnceWith(event);
    expect(onRetry.mock.calls).toEqual([[{ attempt: 1, error, delayMs: 250 }], [{ attempt: 2, error, delayMs: 250 }]]);
    expect(policy.getStats().gaveUp).toEqual({ final: 0, attempts: 1, declined: 0, deadline: 0, budget: 0 });
  });

  it('hears nothing of an abort', async () => {
    const { clock, run, reasons } = policyOver(outage);
    const controller = new AbortController();
    const outcome = run({ signal: controller.signal });
    await clock.flush();
    controller.abort('enough');
    await expect(outcome).rejects.toBe('enough');
    expect(reasons).toEqual([]);
  });
});
