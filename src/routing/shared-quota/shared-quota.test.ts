import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { QuotaLimiter } from '../quota/quota-limiter.ts';
import type { QuotaLimits } from '../quota/quota-limiter-options.ts';

/** The reply of a script for requests; tokens have no limit here. */
interface Reply {
  readonly granted?: number;
  readonly waitMs?: number;
  readonly pauseMs?: number;
  readonly members?: number;
  readonly perMs?: number;
}

interface Question {
  readonly pauseMs: number;
  readonly wanted: number;
  readonly least: number;
  readonly heardPerMs: number;
  readonly held: number;
  readonly unused: number;
  readonly adjustment: number;
  readonly told: number;
}

/**
 * A store that answers at once as `answer` says, and keeps what it was asked; the clock of the store is an hour ahead.
 */
function makeShared(limits: QuotaLimits = {}, perMs = 0.01) {
  const clock = new ManualClock();
  const questions: Question[] = [];
  const store = {
    answer: (question: Question): Reply | Error => ({ granted: question.wanted > 0 ? 2 : 0 }),
  };
  const run = async (_script: string, keys: readonly string[], args: readonly (string | number)[]) => {
    expect(keys).toEqual(['quota:{the_quota}', 'quota:{the_quota}:members']);
    const [pauseMs = 0, wanted = 0, least = 0, , heardPerMs = 0, held = 0, unused = 0, adjustment = 0] = [
      args[3],
      ...args.slice(7, 15),
    ].map(Number);
    const told = Number(args[16]);
    const question = { pauseMs, wanted, least, heardPerMs, held, unused, adjustment, told };
    questions.push(question);
    const reply = store.answer(question);
    if (reply instanceof Error) throw reply;
    const rate = reply.perMs ?? perMs;
    return [
      ...[reply.granted ?? 0, reply.waitMs ?? 0, clock.now() + 3_600_000],
      ...[reply.pauseMs ?? 0, reply.members ?? 1],
      ...[5, rate, 10, 0, 0],
      ...[0, 0, 0, 0, 0],
    ].map(String);
  };
  const limiter = new QuotaLimiter({ name: 'the{quota', limits, shared: { run }, clock, random: () => 0.5 });
  return { clock, limiter, store, questions };
}

/** A limiter that knows of the store's limits. */
async function makeKnown(limits?: QuotaLimits) {
  const made = makeShared({ requestsPerMinute: 600, ...limits });
  made.limiter.waitMs(1);
  await made.clock.flush();
  return made;
}

describe('a shared quota', () => {
  it('waits for the store, and takes what that granted when it may', async () => {
    const { clock, limiter, store } = await makeKnown();
    store.answer = () => ({ granted: 2, waitMs: 40 });
    const listener = vi.fn();
    limiter.onCapacity(listener);
    expect(limiter.waitMs(1)).toBeGreaterThan(0);
    await clock.flush();
    expect(listener).toHaveBeenCalled();
    expect(limiter.waitMs(1)).toBe(40);
    await clock.advance(40);
    expect(limiter.waitMs(1)).toBe(0);
    limiter.take(1);
    expect(limiter.waitMs(1)).toBeGreaterThan(0);
  });

  it('takes the least where all that it asked for is too much', async () => {
    const { clock, limiter, store, questions } = await makeKnown();
    store.answer = () => ({ granted: 1, waitMs: 0 });
    let taken = 0;
    for (let step = 0; step < 5; step += 1) {
      limiter.waitMs(1);
      await clock.flush();
      while (limiter.waitMs(1) === 0) {
        limiter.take(1);
        taken += 1;
      }
    }
    expect(taken).toBe(questions.filter(({ least }) => least > 0).length - (questions.at(-1)?.least ?? 0));
  });

  it('asks for more where grants are used up at once, up to a tenth of a second’s worth', async () => {
    const { clock, limiter, questions } = makeShared({ requestsPerMinute: 6_000 }, 0.1);
    for (let step = 0; step < 400; step += 1) {
      while (limiter.waitMs(1) === 0) limiter.take(1);
      await clock.advance(5);
    }
    const wanted = questions.map(({ wanted }) => wanted);
    expect(Math.max(...wanted)).toBe(10);
  });

  it('asks no more often while one who was turned away waits', async () => {
    const { clock, limiter, store, questions } = await makeKnown();
    store.answer = () => ({ granted: 0, waitMs: 5_000 });
    limiter.waitMs(1);
    await clock.flush();
    const asked = questions.length;
    for (let step = 0; step < 40; step += 1) {
      expect(limiter.waitMs(1)).toBeGreaterThan(0);
      await clock.advance(100);
    }
    expect(questions.length).toBe(asked);
    await clock.advance(1_000);
    limiter.waitMs(1);
    expect(questions.length).toBe(asked + 1);
  });

  it('gives back what it doesn’t use', async () => {
    const { clock, limiter, questions } = await makeKnown();
    limiter.waitMs(1);
    await clock.advance(2_000);
    expect(questions.at(-1)).toMatchObject({ unused: 1, held: 0, wanted: 0 });
    expect(limiter.getStats().shared).toMatchObject({ heldRequests: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives back what it holds at its end', async () => {
    const { clock, limiter, questions } = await makeKnown();
    limiter.waitMs(1);
    await clock.flush();
    limiter.close();
    limiter.close();
    await clock.flush();
    expect(questions.at(-1)).toMatchObject({ unused: 1 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not wait for long for a first request that gets no answer', async () => {
    const { clock, limiter } = makeShared({}, 0);
    limiter.waitMs(1);
    await clock.flush();
    limiter.take(1);
    expect(limiter.waitMs(1)).toBe(250);
    await clock.advance(1_999);
    expect(limiter.waitMs(1)).toBe(250);
    await clock.advance(1);
    expect(limiter.waitMs(1)).toBe(0);
  });

  it('sends one request to learn the limits, and tells them at once', async () => {
    const { clock, limiter, questions } = makeShared({}, 0);
    limiter.waitMs(1);
    await clock.flush();
    expect(limiter.waitMs(1)).toBe(0);
    const first = limiter.take(1);
    expect(limiter.waitMs(1)).toBeGreaterThan(0);
    first.answered({ limits: { requests: { limit: 600, remaining: 9, resetMs: 100 } } });
    expect(questions.at(-1)).toMatchObject({ heardPerMs: 0.01, told: 9 });
  });

  it('sends on without waiting where answers tell no limits', async () => {
    const { clock, limiter } = makeShared({}, 0);
    limiter.waitMs(1);
    await clock.flush();
    limiter.take(1).answered({});
    for (let request = 0; request < 100; request += 1) {
      expect(limiter.waitMs(1)).toBe(0);
      limiter.take(1);
    }
  });

  it('tells the others of a pause, and heeds theirs', async () => {
    const { clock, limiter, store, questions } = await makeKnown();
    limiter.waitMs(1);
    await clock.flush();
    limiter.take(1).throttled({ retryAfterMs: 2_000 });
    await clock.advance(0);
    expect(questions.at(-1)?.pauseMs).toBe(2_000);
    store.answer = () => ({ pauseMs: 9_000 });
    await clock.advance(2_100);
    limiter.waitMs(1);
    await clock.flush();
    expect(limiter.waitMs(1)).toBe(9_000);
  });

  it('says what it turned out to take less', async () => {
    const { clock, limiter, questions } = await makeKnown();
    limiter.waitMs(1);
    await clock.flush();
    const limits = { requests: { limit: 600, remaining: 0, resetMs: 1_000 } };
    limiter.take(1).throttled({ limits, retryAfterMs: 100 });
    await clock.advance(60);
    expect(questions.find(({ adjustment }) => adjustment === 1)).toBeDefined();
  });

  it('keeps a refunded request for the next one', async () => {
    const { clock, limiter, questions } = await makeKnown();
    limiter.waitMs(1);
    await clock.flush();
    limiter.take(1).refund();
    const asked = questions.length;
    expect(limiter.waitMs(1)).toBe(0);
    expect(questions).toHaveLength(asked);
  });
});

describe('a shared quota whose store is away', () => {
  it('takes its share of what it knows by itself, and comes back', async () => {
    const { clock, limiter, store } = await makeKnown({ requestsPerMinute: 2_400, processes: 4 });
    store.answer = () => new Error('away');
    let taken = 0;
    for (let step = 0; step < 110; step += 1) {
      if (step === 10) taken = 0;
      while (limiter.waitMs(1) === 0) {
        limiter.take(1);
        taken += 1;
      }
      await clock.advance(100);
    }
    // A quarter of 40 a second.
    expect(taken).toBeGreaterThanOrEqual(95);
    expect(taken).toBeLessThanOrEqual(102);
    expect(limiter.getStats().shared).toMatchObject({ available: false });
    store.answer = ({ wanted }) => ({ granted: wanted > 0 ? 2 : 0 });
    await clock.advance(6_000);
    limiter.waitMs(1);
    await clock.flush();
    expect(limiter.getStats().shared).toMatchObject({ available: true });
  });

  it('shares by the number of processes that it saw last where none is given', async () => {
    const { clock, limiter, store } = makeShared({ requestsPerMinute: 600 });
    store.answer = () => ({ members: 5 });
    limiter.waitMs(1);
    await clock.flush();
    store.answer = () => new Error('away');
    limiter.waitMs(1);
    await clock.flush();
    expect(limiter.getStats()).toMatchObject({ requests: { allowed: 120 }, shared: { processes: 5 } });
  });

  it('asks less and less often, at least every 5 seconds or so', async () => {
    const { clock, limiter, store, questions } = await makeKnown();
    store.answer = () => new Error('away');
    for (let step = 0; step < 600; step += 1) {
      limiter.waitMs(1);
      await clock.advance(100);
    }
    expect(questions.length).toBeGreaterThan(12);
    expect(questions.length).toBeLessThan(25);
  });

  it('knows no limits where none is given and none was heard: nothing waits', async () => {
    const { clock, limiter, store } = makeShared({}, 0);
    store.answer = () => new Error('away');
    limiter.waitMs(1);
    await clock.flush();
    expect(limiter.waitMs(1)).toBe(0);
  });

  it('says at its return what was taken meanwhile', async () => {
    const { clock, limiter, store, questions } = await makeKnown();
    store.answer = () => new Error('away');
    for (let step = 0; step < 100; step += 1) {
      if (step === 30) store.answer = () => ({});
      while (limiter.waitMs(1) === 0) limiter.take(1);
      await clock.advance(100);
    }
    expect(questions.find(({ adjustment }) => adjustment < -7 && adjustment > -12)).toBeDefined();
  });
});
