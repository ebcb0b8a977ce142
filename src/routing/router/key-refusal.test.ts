import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { failureOf, type HeldLeg, RouterStory } from './router-story.fixture.ts';

const oneEndpoint = () => new RouterStory([{ name: 'a' }]);

/** A router whose one key was accepted once. */
async function withAcceptedKey(): Promise<RouterStory> {
  const story = oneEndpoint();
  void story.run();
  await story.last.answer();
  return story;
}

describe('a key that was never accepted', () => {
  it('fails every call at once until its next probe', async () => {
    const story = oneEndpoint();
    const failure = failureOf.auth();
    void story.run();
    await story.last.fail(failure);
    await story.clock.advance(4_999);
    await expect(story.run()).rejects.toBe(failure);
    expect(story.legs).toHaveLength(1);
  });

  it('is probed by one call at a time, of whatever model', async () => {
    const story = oneEndpoint();
    void story.run();
    await story.last.fail(failureOf.auth());
    await story.clock.advance(5_000);
    const ended = [story.run(), story.run({ model: 'other' }), story.run()];
    expect(story.legs).toHaveLength(2);
    await story.last.answer();
    expect(story.legs).toHaveLength(4);
    for (const leg of story.legs.slice(2)) await leg.answer();
    await expect(Promise.all(ended)).resolves.toHaveLength(3);
  });

  it('is probed again after twice the time, at most 5 minutes, for as long as it is refused', async () => {
    const story = oneEndpoint();
    void story.run();
    await story.last.fail(failureOf.auth());
    const waits = [5, 10, 20, 40, 80, 160, 300, 300].map((seconds) => seconds * 1_000);
    for (const [index, waitMs] of waits.entries()) {
      expect(story.modelStats('a')).toMatchObject({ condition: 'dropped', returnInMs: waitMs });
      await story.clock.advance(waitMs - 1);
      await expect(story.run()).rejects.toMatchObject({ code: 'DESCRIBE_AUTH' });
      await story.clock.advance(1);
      void story.run();
      expect(story.legs).toHaveLength(index + 2);
      await story.last.fail(failureOf.auth());
    }
  });

  it('begins at 5 seconds again once it was accepted', async () => {
    const story = oneEndpoint();
    for (const waitMs of [5_000, 10_000]) {
      void story.run();
      await story.last.fail(failureOf.auth());
      await story.clock.advance(waitMs);
    }
    void story.run();
    await story.last.answer();
    void story.run();
    await story.last.fail(failureOf.auth());
    expect(story.modelStats('a')).toMatchObject({ condition: 'dropped', returnInMs: 5_000 });
  });
});

describe('a key that was accepted and is refused once', () => {
  it('has its calls wait for the probe, which finds that it was a mistake', async () => {
    const story = await withAcceptedKey();
    const stray = story.run();
    await story.last.fail(failureOf.auth());
    await expect(stray).rejects.toMatchObject({ code: 'DESCRIBE_AUTH' });
    const ended = [story.run(), story.run()];
    await story.clock.advance(4_999);
    expect(story.legs).toHaveLength(2);
    await story.clock.advance(1);
    expect(story.legs).toHaveLength(3);
    await story.last.answer();
    await story.last.answer();
    await expect(Promise.all(ended)).resolves.toHaveLength(2);
  });

  it('fails those that wait, and those that come, when the probe is refused too', async () => {
    const story = await withAcceptedKey();
    void story.run();
    await story.last.fail(failureOf.auth());
    const ended = [story.run(), story.run()];
    await story.clock.advance(5_000);
    await story.last.fail(failureOf.auth());
    for (const end of [...ended, story.run()]) {
      await expect(end).rejects.toMatchObject({ code: 'DESCRIBE_AUTH', status: 401 });
    }
    expect(story.legs).toHaveLength(3);
    expect(story.clock.pendingTimers).toBe(0);
  });

  it('fails at once a call whose deadline comes before the probe, with the refusal', async () => {
    const story = await withAcceptedKey();
    const failure = failureOf.auth();
    void story.run();
    await story.last.fail(failure);
    await expect(story.run({ deadlineAtMs: story.clock.now() + 4_000 })).rejects.toBe(failure);
  });

  it('takes refusals of one burst for one, and the answers from before it for none', async () => {
    const story = await withAcceptedKey();
    for (let call = 0; call < 4; call += 1) void story.run();
    const [early, ...burst] = story.legs.slice(1) as [HeldLeg, ...HeldLeg[]];
    await story.clock.advance(10);
    for (const leg of burst) await leg.fail(failureOf.auth());
    await early.answer();
    expect(story.modelStats('a')).toMatchObject({ condition: 'dropped', returnInMs: 5_000 });
    const ended = story.run();
    await story.clock.advance(5_000);
    await story.last.answer();
    await expect(ended).resolves.toBe('call by a');
  });

  it('is left to itself where another endpoint takes the calls', async () => {
    const story = new RouterStory([{ name: 'a' }, { name: 'b' }]);
    void story.run();
    await story.last.answer();
    const first = story.last.leg.endpoint;
    const moved = story.run();
    while (story.last.leg.endpoint !== first) {
      await story.last.answer();
      void story.run();
    }
    await story.last.fail(failureOf.auth());
    await story.last.answer();
    await moved;
    for (let call = 0; call < 5; call += 1) void story.run();
    expect(story.legs.slice(-5).map(({ leg }) => leg.endpoint)).not.toContain(first);
  });
});

describe('a refusal that is none of the API', () => {
  it('of a pool lasts as long as the pool says', async () => {
    const story = oneEndpoint();
    void story.run();
    const failure = new UpstreamError('DESCRIBE_AUTH', 'the pool', { status: 401, retryAfterMs: 700 });
    await story.last.fail(failure, { sent: false });
    expect(story.modelStats('a')).toMatchObject({ condition: 'dropped', returnInMs: 700 });
  });

  it('of a function that gives no key keeps nobody from asking it again', async () => {
    const story = oneEndpoint();
    void story.run();
    await story.last.fail(new UpstreamError('DESCRIBE_AUTH', 'no key'), { sent: false });
    void story.run();
    expect(story.legs).toHaveLength(2);
  });
});

describe('a key over hours of steady traffic', () => {
  it.each([
    { refusedForMs: 1_000, seed: 1 },
    { refusedForMs: 60_000, seed: 2 },
    { refusedForMs: 3_600_000, seed: 3 },
  ])('is asked for less and less while it is refused, and works within the last wait: %j', async (play) => {
    const story = await withAcceptedKey();
    const startMs = story.clock.now();
    let answered: number | undefined;
    let refused = 0;
    while (answered === undefined) {
      const before = story.legs.length;
      void story.run({ deadlineAtMs: story.clock.now() + 60_000 });
      await story.clock.advance(500);
      for (const leg of story.legs.slice(before)) {
        const sinceMs = story.clock.now() - startMs;
        if (sinceMs < play.refusedForMs) {
          refused += 1;
          await leg.fail(failureOf.auth());
        } else {
          answered ??= sinceMs;
          await leg.answer();
        }
      }
    }
    const doublings = Math.ceil(Math.log2(play.refusedForMs / 5_000 + 1));
    expect(refused).toBeLessThanOrEqual(Math.max(1, doublings) + 1 + play.refusedForMs / 300_000);
    expect(answered - play.refusedForMs).toBeLessThanOrEqual(Math.min(300_000, 2 * play.refusedForMs + 5_000) + 1_000);
  });
});
