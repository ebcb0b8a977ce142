import { describe, expect, it } from 'vitest';
import { failureOf, RouterStory } from './router-story.fixture.ts';

const lateBy = (retryAfterMs: number) => ({ code: 'DESCRIBE_RATE_LIMITED', retryable: true, retryAfterMs });

describe('a call is refused at once', () => {
  it('when the quota that those before it need passes its deadline', async () => {
    const story = new RouterStory([{ name: 'a', capacity: 1, refillMs: 1_000 }]);
    for (let call = 0; call < 10; call += 1) void story.run();
    const refused = story.run({ deadlineAtMs: 9_999 });
    await expect(refused).rejects.toMatchObject(lateBy(10_000));
    void story.run({ deadlineAtMs: 10_000 });
    expect(story.router.getStats()).toMatchObject({ queued: 10, refused: { late: 1 } });
  });

  it('but not for those of lower priority, which it overtakes', () => {
    const story = new RouterStory([{ name: 'a', capacity: 1, refillMs: 1_000 }]);
    for (let call = 0; call < 10; call += 1) void story.run();
    void story.run({ deadlineAtMs: 1_000, priority: 1 });
    expect(story.router.getStats()).toMatchObject({ queued: 10, refused: { late: 0 } });
  });

  it('nor for what several quotas manage together', async () => {
    const story = new RouterStory([
      { name: 'a', capacity: 0, refillMs: 1_000 },
      { name: 'b', capacity: 0, refillMs: 1_000 },
    ]);
    for (let call = 0; call < 9; call += 1) void story.run();
    void story.run({ deadlineAtMs: 5_000 });
    await expect(story.run({ deadlineAtMs: 5_000 })).rejects.toMatchObject(lateBy(5_500));
  });

  it('when every endpoint cools down beyond its deadline', async () => {
    const story = new RouterStory([{ name: 'a' }, { name: 'b' }]);
    story.quota('a').pausedUntilMs = 30_000;
    story.quota('b').pausedUntilMs = 20_000;
    await expect(story.run({ deadlineAtMs: 19_999 })).rejects.toMatchObject(lateBy(20_000));
    expect([story.clock.now(), story.clock.pendingTimers]).toEqual([0, 0]);
  });

  it('as one behind others that wait out the same pauses', async () => {
    const story = new RouterStory([{ name: 'a' }, { name: 'b' }]);
    for (const name of ['a', 'b']) story.quota(name).pausedUntilMs = 20_000;
    void story.run();
    await expect(story.run({ deadlineAtMs: 15_000 })).rejects.toMatchObject(lateBy(20_000));
  });

  it('even when it waits already and a pause comes to pass its deadline', async () => {
    const story = new RouterStory([{ name: 'a', maxConcurrency: 1 }]);
    void story.run({ label: 'running' });
    const patient = story.run({ label: 'patient', deadlineAtMs: 60_000 });
    const hurried = story.run({ label: 'hurried', deadlineAtMs: 10_000 });
    const more = story.run({ label: 'more', deadlineAtMs: 70_000 });
    await story.last.fail(failureOf.throttle({ retryAfterMs: 20_000 }));
    await expect(hurried).rejects.toMatchObject(lateBy(20_000));
    expect(story.router.getStats().queued).toBe(2);
    await story.clock.advance(20_000);
    await story.last.answer();
    await expect(patient).resolves.toBe('patient by a');
    await story.last.answer();
    await expect(more).resolves.toBe('more by a');
  });

  it('alone when it is the size of it that does not fit, and those behind it do', async () => {
    const story = new RouterStory([{ name: 'a' }]);
    story.quota('a').waitMs = (tokens = 0) => {
      if (story.clock.now() === 0) return 1;
      return tokens > 500 ? 30_000 : 0;
    };
    const large = story.run({ tokens: 1_000, deadlineAtMs: 20_000 });
    const small = story.run({ tokens: 10, deadlineAtMs: 20_000 });
    await story.clock.advance(1);
    await expect(large).rejects.toMatchObject(lateBy(30_000));
    await story.last.answer();
    await expect(small).resolves.toBe('call by a');
  });
});

describe('a call whose deadline has passed in the line', () => {
  it('is not begun any more, and says that its time is up', async () => {
    const story = new RouterStory([{ name: 'a', maxConcurrency: 1 }]);
    void story.run();
    const waits = story.run({ deadlineAtMs: 600 });
    void story.run({ label: 'after it' });
    await story.clock.advance(601);
    await story.last.answer();
    await expect(waits).rejects.toMatchObject({ code: 'DESCRIBE_TIMEOUT', timeoutMs: 601 });
    expect(story.begun).toEqual(['call', 'after it']);
  });

  it('has the failure that moved it there, where there was one', async () => {
    const story = new RouterStory([{ name: 'a' }, { name: 'b', maxConcurrency: 1 }]);
    story.quota('a').pausedUntilMs = 1;
    void story.run();
    await story.clock.advance(1);
    const moved = story.run({ deadlineAtMs: 600 });
    const failure = failureOf.outage();
    const blocking = story.legs[0];
    await story.last.fail(failure, { sent: false });
    await story.clock.advance(601);
    await blocking?.answer();
    await expect(moved).rejects.toBe(failure);
  });
});
