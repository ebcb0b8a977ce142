import { describe, expect, it } from 'vitest';
import { CircuitOpenError } from '../../errors/circuit-open-error.ts';
import { ClosedError } from '../../errors/closed-error.ts';
import { ConfigError } from '../../errors/config-error.ts';
import { QueueFullError } from '../../errors/queue-full-error.ts';
import { Router } from './router.ts';
import { failureOf, jobOf, RouterStory } from './router-story.fixture.ts';

describe('a router with capacity', () => {
  it('begins the attempt at once and settles as it does', async () => {
    const story = new RouterStory([{ name: 'a' }]);
    const ended = story.run({ label: 'one' });
    expect(story.last.leg).toMatchObject({
      endpoint: 'a',
      model: 'gpt-4.1-mini',
      target: 'target of a',
      queueMs: 0,
    });
    await story.last.answer();
    await expect(ended).resolves.toBe('one by a');
    expect(story.quota('a').ends).toEqual(['answered']);
    expect(story.clock.pendingTimers).toBe(0);
  });

  it("sends the endpoint's own name of the model", () => {
    const story = new RouterStory([{ name: 'azure', model: 'my-deployment' }]);
    void story.run();
    expect(story.last.leg.model).toBe('my-deployment');
  });

  it('refuses a wrong job at once, and names all that is wrong with it', async () => {
    const { router, quota } = storyWith('a');
    const run = (job: unknown, attempt: unknown = async () => 'done') => router.run(job as never, attempt as never);
    const wrong = { model: '', tokens: Number.NaN, priority: 'high', signal: {}, deadlineAtMs: Number.NaN, avoid: [] };
    await expect(run(wrong, 'not a function')).rejects.toMatchObject({
      code: 'DESCRIBE_INPUT_INVALID',
      message: expect.stringMatching(
        /job\.model: .*job\.tokens: .*job\.priority: .*job\.signal: .*job\.deadlineAtMs: .*job\.avoid: .*attempt: /,
      ),
    });
    await expect(run(undefined)).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
    await expect(run(() => 'done', jobOf())).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
    await expect(run({})).rejects.toThrow(/job\.model: expected the name of a model, got nothing; job\.tokens/);
    await expect(run(jobOf(), null)).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
    expect({ taken: quota.taken, stats: router.getStats().queued }).toMatchObject({ taken: 0, stats: 0 });
    await expect(run({ ...jobOf(), deadlineAtMs: Number.POSITIVE_INFINITY })).resolves.toBe('done');
  });

  it('rejects with what the attempt threw, even at once', async () => {
    const { router, quota } = storyWith('a');
    const thrown = new Error('at once');
    await expect(
      router.run(jobOf(), () => {
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    expect(quota.ends).toEqual(['refunded']);
  });

  it('ends a permit by what became of its request', async () => {
    const story = new RouterStory([{ name: 'a' }]);
    for (const [failure, sent] of [
      [failureOf.outage(), true],
      [failureOf.outage(), false],
      [failureOf.throttle(), true],
      [failureOf.item(), true],
      [new Error('the call ended'), true],
      [new Error('the call ended'), false],
    ] as const) {
      void story.run();
      await story.last.fail(failure, { sent });
    }
    expect(story.quota('a').ends).toEqual(['failed', 'refunded', 'throttled', 'failed', 'failed', 'refunded']);
  });

  it('takes an attempt that resolves for an answer, and ends a permit once', async () => {
    const { router, quota } = storyWith('a');
    await router.run(jobOf(), async () => 'done');
    await router
      .run(jobOf(), async (leg) => {
        leg.sent();
        leg.answered({});
        leg.answered({});
        throw failureOf.item();
      })
      .catch(() => {});
    expect(quota.ends).toEqual(['answered', 'answered']);
  });
});

describe('calls that wait', () => {
  it('go in the order of their coming, higher priorities first', async () => {
    const story = new RouterStory([{ name: 'a', maxConcurrency: 1 }]);
    for (const [label, priority] of [
      ['first', 0],
      ['low', -1],
      ['plain', 0],
      ['high', 2],
      ['high too', 2],
    ] as const) {
      void story.run({ label, priority });
    }
    for (let turn = 0; turn < 5; turn += 1) await story.last.answer();
    expect(story.begun).toEqual(['first', 'high', 'high too', 'plain', 'low']);
  });

  it('are overtaken only within the time of a step of priority', async () => {
    const story = new RouterStory([{ name: 'a', maxConcurrency: 1 }], { ageingMs: 1_000 });
    void story.run({ label: 'running' });
    void story.run({ label: 'low' });
    await story.clock.advance(999);
    void story.run({ label: 'high', priority: 1 });
    await story.clock.advance(2);
    void story.run({ label: 'too late', priority: 1 });
    for (let turn = 0; turn < 4; turn += 1) await story.last.answer();
    expect(story.begun).toEqual(['running', 'high', 'low', 'too late']);
  });

  it('begin when a quota has capacity again, on one timer however many wait', async () => {
    const story = new RouterStory([{ name: 'a', capacity: 1, refillMs: 100 }]);
    for (let call = 0; call < 4; call += 1) void story.run();
    expect([story.legs.length, story.clock.pendingTimers]).toEqual([1, 1]);
    await story.clock.advance(100);
    expect(story.legs.length).toBe(2);
    await story.clock.advance(200);
    expect([story.legs.length, story.clock.pendingTimers]).toEqual([4, 0]);
    expect(story.last.leg.queueMs).toBe(300);
  });

  it('begin when a quota tells of capacity', () => {
    const story = new RouterStory([{ name: 'a', capacity: 0, refillMs: 60_000 }]);
    void story.run();
    expect(story.legs.length).toBe(0);
    story.quota('a').capacity = 1;
    story.quota('a').tellRoom();
    expect(story.legs.length).toBe(1);
  });

  it('leave at once when aborted, with the reason of their signal and no timer', async () => {
    const story = new RouterStory([{ name: 'a', capacity: 0 }]);
    const controller = new AbortController();
    const ended = story.run({ signal: controller.signal });
    controller.abort('changed my mind');
    await expect(ended).rejects.toBe('changed my mind');
    expect([story.router.getStats().queued, story.clock.pendingTimers]).toEqual([0, 0]);
  });

  it('do not begin when the signal that they share aborts, one after the other', async () => {
    const story = new RouterStory([{ name: 'a', capacity: 0, refillMs: 60_000 }]);
    const controller = new AbortController();
    const endings = Array.from({ length: 10 }, () => story.run({ signal: controller.signal }));
    // No listener was notified of the new capacity. The first call to end makes the router look at the next one.
    story.quota('a').capacity = 10;
    controller.abort('all of them');
    expect(await Promise.allSettled(endings)).toEqual(
      endings.map(() => ({ status: 'rejected', reason: 'all of them' })),
    );
    expect(story.begun).toEqual([]);
  });

  it('are as many as maxQueued', async () => {
    const story = new RouterStory([{ name: 'a', maxConcurrency: 1 }], { maxQueued: 2 });
    for (let call = 0; call < 3; call += 1) void story.run();
    const refused = story.run();
    await expect(refused).rejects.toBeInstanceOf(QueueFullError);
    await expect(refused).rejects.toMatchObject({ option: 'maxQueued', limit: 2, retryable: true });
    expect(story.router.getStats()).toMatchObject({ queued: 2, inFlight: 1, refused: { full: 1, late: 0 } });
  });

  it('of one model do not wait for those of another, within what the endpoint takes of all', () => {
    const story = new RouterStory([{ name: 'a', maxConcurrency: 11 }]);
    for (let call = 0; call < 11; call += 1) void story.run({ model: 'one' });
    void story.run({ label: 'other', model: 'other' });
    void story.run({ label: 'too much', model: 'third' });
    expect(story.begun.slice(10)).toEqual(['other']);
  });

  it('keep their turn at a quota that models share, whatever the others need', async () => {
    const story = new RouterStory([{ name: 'a' }]);
    const quota = story.quota('a');
    quota.waitMs = (tokens = 0) => Math.max(0, tokens - story.clock.now());
    void story.run({ label: 'large', model: 'one', tokens: 1_000 });
    void story.run({ label: 'small', model: 'other', tokens: 0 });
    await story.clock.advance(999);
    expect(story.begun).toEqual([]);
    await story.clock.advance(1);
    expect(story.begun).toEqual(['large', 'small']);
  });
});

describe('several endpoints', () => {
  it('share calls by load', () => {
    const story = new RouterStory([{ name: 'a' }, { name: 'b' }]);
    for (let call = 0; call < 6; call += 1) void story.run();
    expect(countByEndpoint(story)).toEqual({ a: 3, b: 3 });
  });

  it('share calls by weight while all have capacity', () => {
    const story = new RouterStory([{ name: 'a', weight: 3 }, { name: 'b' }]);
    for (let call = 0; call < 8; call += 1) void story.run();
    expect(countByEndpoint(story)).toEqual({ a: 6, b: 2 });
  });

  it('are waited for when all are cooling down, and the first to return is used', async () => {
    const story = new RouterStory([{ name: 'a' }, { name: 'b' }]);
    story.quota('a').pausedUntilMs = 5_000;
    story.quota('b').pausedUntilMs = 2_000;
    const ended = story.run({ deadlineAtMs: 10_000 });
    await story.clock.advance(1_999);
    expect(story.legs.length).toBe(0);
    await story.clock.advance(1);
    await story.last.answer();
    await expect(ended).resolves.toBe('call by b');
  });

  it('wait out a breaker, also together with a quota', async () => {
    const openUntilMs: Record<string, number> = { a: 3_000, b: 8_000 };
    const story: RouterStory = new RouterStory([{ name: 'a' }, { name: 'b' }], {
      breakerWaitMs: (endpoint) => Math.max(0, (openUntilMs[endpoint] ?? 0) - story.clock.now()),
    });
    void story.run();
    expect(story.modelStats('a')).toMatchObject({ condition: 'open', returnInMs: 3_000 });
    await story.clock.advance(3_000);
    expect(story.last.leg.endpoint).toBe('a');
  });

  it('are asked for what their breakers say when all are isolated by hand', async () => {
    const story = new RouterStory([{ name: 'a' }, { name: 'b' }], {
      breakerWaitMs: () => Number.POSITIVE_INFINITY,
    });
    const ended = story.run();
    await story.last.fail(new CircuitOpenError('a', undefined), { sent: false });
    await story.last.fail(new CircuitOpenError('b', undefined), { sent: false });
    await expect(ended).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it('that failed this call already are used only while no other can take it soon', async () => {
    const story = new RouterStory([
      { name: 'a', weight: 10 },
      { name: 'b', maxConcurrency: 1 },
    ]);
    const avoid = new Set(['a']);
    void story.run({ avoid });
    void story.run({ avoid });
    void story.run();
    // The second call waits for b, and the calls behind it need not.
    expect(story.legs.map(({ leg }) => leg.endpoint)).toEqual(['b', 'a']);
    await story.legs[0]?.answer();
    expect(story.legs.map(({ leg }) => leg.endpoint)).toEqual(['b', 'a', 'b']);
    story.quota('b').pausedUntilMs = story.clock.now() + 30_000;
    void story.run({ avoid });
    expect(story.last.leg.endpoint).toBe('a');
    void story.run({ avoid: new Set(['a', 'b']) });
    expect(story.last.leg.endpoint).toBe('a');
  });

  it('that an answer tells to be of one organisation share the quota of the first, unless theirs is named', async () => {
    const story = new RouterStory([
      { name: 'a', maxConcurrency: 1 },
      { name: 'b', maxConcurrency: 1 },
      { name: 'c', maxConcurrency: 1, quotaGroup: 'mine' },
    ]);
    for (let call = 0; call < 3; call += 1) void story.run();
    for (const held of story.legs) await held.answer({ organization: 'org-1' });
    const groups = Object.entries(story.router.getStats().endpoints).map(([name, { quotaGroup }]) => [
      name,
      quotaGroup,
    ]);
    expect(Object.fromEntries(groups)).toEqual({ a: 'a', b: 'a', c: 'mine' });
  });

  it('share the same one whichever of them answers first, and leave it when they belong elsewhere', async () => {
    const groupsAfter = async (answers: readonly (readonly [endpoint: string, organization: string])[]) => {
      const story = new RouterStory(['a', 'b', 'c'].map((name) => ({ name, maxConcurrency: 1 })));
      for (let call = 0; call < 3; call += 1) void story.run();
      for (const [endpoint, organization] of answers) {
        const held = story.legs.find(({ leg }) => leg.endpoint === endpoint) ?? story.last;
        await held.answer({ organization });
      }
      return Object.values(story.router.getStats().endpoints).map(({ quotaGroup }) => quotaGroup);
    };
    expect(
      await groupsAfter([
        ['c', '1'],
        ['b', '1'],
        ['a', '1'],
      ]),
    ).toEqual(['a', 'a', 'a']);
    expect(
      await groupsAfter([
        ['b', '1'],
        ['a', '2'],
        ['c', '1'],
      ]),
    ).toEqual(['a', 'b', 'b']);
  });
});

describe('an endpoint whose limits nobody knows', () => {
  it('gets four calls until its first answer', async () => {
    const story = new RouterStory([{ name: 'a' }]);
    story.quota('a').limitsKnown = false;
    for (let call = 0; call < 30; call += 1) void story.run();
    expect(story.legs.length).toBe(4);
    await story.legs[0]?.fail(failureOf.outage());
    expect(story.modelStats('a')).toMatchObject({ inFlight: 4, concurrency: 4 });
    await story.legs[1]?.answer();
    expect(story.modelStats('a')).toMatchObject({ inFlight: 10, concurrency: 10 });
  });
});

describe('what others give', () => {
  it('may throw: a breaker is then asked by the attempt', async () => {
    const story = new RouterStory([{ name: 'a' }, { name: 'b' }], {
      breakerWaitMs: () => {
        throw new Error('no breaker');
      },
    });
    const ended = story.run();
    await story.last.answer();
    await expect(ended).resolves.toMatch(/^call by/);
  });

  it('may call the router back from within an attempt', async () => {
    const story = new RouterStory([{ name: 'a', maxConcurrency: 2 }]);
    const inner: Promise<string>[] = [];
    const outer = story.router.run(jobOf(), (leg) => {
      for (let call = 0; call < 3; call += 1) inner.push(story.run({ label: `inner ${call}` }));
      leg.answered({});
      return Promise.resolve('outer');
    });
    await expect(outer).resolves.toBe('outer');
    for (let turn = 0; turn < 3; turn += 1) await story.legs[turn]?.answer();
    await expect(Promise.all(inner)).resolves.toEqual([0, 1, 2].map((call) => `inner ${call} by a`));
  });

  it('knows of an outage before the permit of it gives capacity to another', async () => {
    const story = new RouterStory([{ name: 'a' }, { name: 'b', capacity: 0, refillMs: 60_000 }]);
    for (let call = 0; call < 5; call += 1) void story.run();
    for (const held of story.legs.slice(0, 4)) await held.fail(failureOf.outage());
    story.quota('a').capacity = 0;
    void story.run({ label: 'waits' });
    await story.legs[4]?.fail(failureOf.outage(), { sent: false });
    expect(story.modelStats('a').condition).toBe('ejected');
    expect(story.begun).not.toContain('waits');
    story.router.destroy(new Error('done'));
  });
});

describe('a single endpoint', () => {
  it('is not asked for its breaker: the attempt runs into it', async () => {
    const story = new RouterStory([{ name: 'a' }], { breakerWaitMs: () => 60_000 });
    const ended = story.run();
    const open = new CircuitOpenError('a', 60_000);
    await story.last.fail(open, { sent: false });
    await expect(ended).rejects.toBe(open);
    expect(story.legs.length).toBe(1);
  });
});

describe('the end', () => {
  it('by close() takes no more calls and resolves when those that wait and run have ended', async () => {
    const story = new RouterStory([{ name: 'a', maxConcurrency: 1 }]);
    const endings = [story.run(), story.run()];
    let closed = false;
    void story.router.close().then(() => {
      closed = true;
    });
    await expect(story.run()).rejects.toBeInstanceOf(ClosedError);
    await story.last.answer();
    expect(closed).toBe(false);
    await story.last.answer();
    expect(closed).toBe(true);
    await expect(Promise.all(endings)).resolves.toHaveLength(2);
    expect(story.clock.pendingTimers).toBe(0);
  });

  it('by destroy() rejects those that wait and begins none of them', async () => {
    const story = new RouterStory([{ name: 'a', capacity: 1 }]);
    const endings = [story.run(), story.run(), story.run()];
    story.router.destroy('the end');
    await expect(endings[1]).rejects.toBe('the end');
    await expect(endings[2]).rejects.toBe('the end');
    expect([story.legs.length, story.clock.pendingTimers]).toEqual([1, 0]);
    await story.last.answer();
    await expect(story.router.close()).resolves.toBeUndefined();
  });
});

describe('options', () => {
  it('are all told of when they are wrong', () => {
    const quotas = () => storyWith('a').quota;
    const make = (options: object) => () => new Router({ endpoints: [{ name: 'a', target: '' }], quotas, ...options });
    expect(make({ endpoints: [] })).toThrow(ConfigError);
    expect(
      make({
        endpoints: [
          { name: 'a', target: '' },
          { name: 'a', target: '' },
        ],
      }),
    ).toThrow(/names that differ/);
    expect(make({ endpoints: [{ name: 'a', target: '', weight: 0 }] })).toThrow(/endpoints\[0\]\.weight/);
    expect(make({ maxQueue: 3 })).toThrow(/did you mean maxQueued/);
  });
});

it('statistics are frozen and survive JSON', async () => {
  const story = new RouterStory([{ name: 'a' }, { name: 'b' }], {
    breakerWaitMs: () => Number.POSITIVE_INFINITY,
  });
  void story.run();
  await story.last.answer();
  const stats = story.router.getStats();
  expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
  expect(Object.isFrozen(stats.endpoints)).toBe(true);
});

const storyWith = (name: string) => {
  const story = new RouterStory([{ name }]);
  return { story, router: story.router, quota: story.quota(name) };
};

const countByEndpoint = (story: RouterStory) => {
  const counts: Record<string, number> = {};
  for (const { leg } of story.legs) counts[leg.endpoint] = (counts[leg.endpoint] ?? 0) + 1;
  return counts;
};
