import { describe, expect, it } from 'vitest';
import { PoolTimeoutError } from '../../errors/pool-error.ts';
import { failureOf, RouterStory } from './router-story.fixture.ts';

const twoEndpoints = () => new RouterStory([{ name: 'a' }, { name: 'b' }]);
const other = (endpoint: string) => (endpoint === 'a' ? 'b' : 'a');

describe('an attempt that sent nothing', () => {
  it('is made again at another endpoint, within the same run', async () => {
    const story = twoEndpoints();
    const ended = story.run();
    const first = story.last.leg.endpoint;
    await story.last.fail(failureOf.outage(), { sent: false });
    expect(story.last.leg.endpoint).toBe(other(first));
    await story.last.answer();
    await expect(ended).resolves.toBe(`call by ${other(first)}`);
    expect(story.quota(first).ends).toEqual(['refunded']);
    expect(story.router.getStats()).toMatchObject({ placed: 2, switched: 1 });
  });

  it('is made at most once at each', async () => {
    const story = twoEndpoints();
    const ended = story.run();
    await story.last.fail(failureOf.outage(), { sent: false });
    const last = failureOf.outage();
    await story.last.fail(last, { sent: false });
    await expect(ended).rejects.toBe(last);
    expect(story.legs.length).toBe(2);
  });

  it('ends with its failure where the others are cooling down', async () => {
    const story = twoEndpoints();
    const ended = story.run();
    story.quota(other(story.last.leg.endpoint)).pausedUntilMs = 30_000;
    const failure = failureOf.outage();
    await story.last.fail(failure, { sent: false });
    await expect(ended).rejects.toBe(failure);
  });

  it('keeps its position in the queue', async () => {
    const story = new RouterStory([
      { name: 'a', maxConcurrency: 1 },
      { name: 'b', maxConcurrency: 1 },
    ]);
    for (const label of ['one', 'two', 'three', 'four']) void story.run({ label });
    const [one] = story.legs;
    await one?.fail(failureOf.outage(), { sent: false });
    // The calls behind it use the endpoint that it left, and it is first at the other one.
    expect(story.begun).toEqual(['one', 'two', 'three']);
    await story.legs[1]?.answer();
    await story.legs[2]?.answer();
    expect(story.begun).toEqual(['one', 'two', 'three', 'one', 'four']);
  });

  it('is not made again when the call was wrong, or has ended', async () => {
    const story = twoEndpoints();
    void story.run();
    await story.last.fail(failureOf.item(), { sent: false });
    void story.run();
    await story.last.fail(new Error('the call ended'), { sent: false });
    const controller = new AbortController();
    const aborted = story.run({ signal: controller.signal });
    controller.abort('enough');
    await story.last.fail(failureOf.outage(), { sent: false });
    await expect(aborted).rejects.toBe('enough');
    expect(story.legs.length).toBe(3);
  });
});

it('an attempt that was sent and failed is not made again here', async () => {
  const story = twoEndpoints();
  const ended = story.run();
  const failure = failureOf.outage();
  await story.last.fail(failure);
  await expect(ended).rejects.toBe(failure);
  expect(story.legs.length).toBe(1);
});

describe('an exhausted quota', () => {
  it('stops its group after one request, and the call goes on with another group', async () => {
    const story = twoEndpoints();
    const ended = story.run();
    const first = story.last.leg.endpoint;
    await story.last.fail(failureOf.quota());
    await story.last.answer();
    await expect(ended).resolves.toBe(`call by ${other(first)}`);
    for (let call = 0; call < 20; call += 1) {
      void story.run();
      await story.last.answer();
    }
    expect(story.quota(first).taken).toBe(1);
    expect(story.modelStats(first)).toMatchObject({ condition: 'stopped', code: 'DESCRIBE_QUOTA_EXHAUSTED' });
  });

  it('of all groups ends the calls that wait and those that come, with that error', async () => {
    const story = new RouterStory([
      { name: 'a', quotaGroup: 'ours', maxConcurrency: 1 },
      { name: 'b', quotaGroup: 'ours', maxConcurrency: 1 },
    ]);
    const endings = [story.run(), story.run(), story.run(), story.run()];
    const failure = failureOf.quota();
    await story.legs[0]?.fail(failure);
    await expect(endings[0]).rejects.toBe(failure);
    await expect(endings[2]).rejects.toBe(failure);
    await expect(endings[3]).rejects.toBe(failure);
    await expect(story.run()).rejects.toBe(failure);
    expect(story.legs.length).toBe(2);
  });

  it('is waited out where another group is cooling down within the deadline', async () => {
    const story = twoEndpoints();
    const ended = story.run({ deadlineAtMs: 60_000 });
    const first = story.last.leg.endpoint;
    story.quota(other(first)).pausedUntilMs = 30_000;
    await story.last.fail(failureOf.quota());
    await story.clock.advance(30_000);
    await story.last.answer();
    await expect(ended).resolves.toBe(`call by ${other(first)}`);
  });
});

describe('a key that is not accepted', () => {
  it('is dropped for all models, and its calls go on with another', async () => {
    const story = twoEndpoints();
    const ended = story.run();
    const first = story.last.leg.endpoint;
    await story.last.fail(failureOf.auth());
    await story.last.answer();
    await expect(ended).resolves.toBe(`call by ${other(first)}`);
    await story.clock.advance(4_999);
    for (let call = 0; call < 20; call += 1) void story.run({ model: `model ${call}` });
    expect(story.quota(first).taken).toBe(1);
    expect(story.modelStats(first)).toMatchObject({
      condition: 'dropped',
      code: 'DESCRIBE_AUTH',
      returnInMs: 1,
    });
  });

  it('for one model (403) is dropped for that model, until one call finds out whether it still is', async () => {
    const story = new RouterStory([{ name: 'a' }]);
    const refused = story.run({ model: 'forbidden' });
    const failure = failureOf.auth(403);
    await story.last.fail(failure);
    await expect(refused).rejects.toBe(failure);
    await expect(story.run({ model: 'forbidden' })).rejects.toBe(failure);
    expect(story.modelStats('a')).toMatchObject({ condition: 'dropped', returnInMs: 300_000 });
    void story.run({ model: 'allowed' });
    expect(story.legs.length).toBe(2);
    await story.clock.advance(300_000);
    for (let call = 0; call < 5; call += 1) void story.run({ model: 'forbidden' });
    expect(story.legs.length).toBe(3);
    await story.last.fail(failure);
    expect(story.legs.length).toBe(3);
    await story.clock.advance(300_000);
    const allowed = Array.from({ length: 5 }, () => story.run({ model: 'forbidden' }));
    await story.last.answer();
    expect(story.legs.length).toBe(8);
    for (const { answer } of story.legs.slice(3)) await answer();
    await Promise.all(allowed);
  });

  it('and is the last one ends all calls with that error', async () => {
    const story = new RouterStory([{ name: 'a', maxConcurrency: 1 }]);
    const endings = [story.run(), story.run()];
    const failure = failureOf.auth();
    await story.last.fail(failure);
    for (const ending of [...endings, story.run()]) await expect(ending).rejects.toBe(failure);
    expect([story.legs.length, story.clock.pendingTimers]).toEqual([1, 0]);
  });
});

describe('a model that one endpoint does not have', () => {
  it.each(['model_not_found', 'DeploymentNotFound'])('(%s) is asked for at another', async (upstreamCode) => {
    const story = twoEndpoints();
    const ended = story.run();
    const first = story.last.leg.endpoint;
    await story.last.fail(failureOf.missing(upstreamCode));
    await story.last.answer();
    await expect(ended).resolves.toBe(`call by ${other(first)}`);
    for (let call = 0; call < 10; call += 1) void story.run();
    expect(story.quota(first).taken).toBe(1);
    void story.run({ model: 'another' });
    expect(story.modelStats(first)).toMatchObject({ condition: 'dropped', code: 'DESCRIBE_UPSTREAM' });
  });

  it('and that nobody has ends the call with that failure', async () => {
    const story = twoEndpoints();
    const ended = story.run();
    await story.last.fail(failureOf.missing());
    const last = failureOf.missing();
    await story.last.fail(last);
    await expect(ended).rejects.toBe(last);
  });

  it('is asked for again and again where there is no other endpoint', async () => {
    const story = new RouterStory([{ name: 'a' }]);
    for (let call = 0; call < 3; call += 1) {
      void story.run();
      await story.last.fail(failureOf.missing());
    }
    expect(story.legs.length).toBe(3);
  });
});

it('what this process ran out of itself moves a call too', async () => {
  const story = twoEndpoints();
  const ended = story.run();
  await story.last.fail(new PoolTimeoutError('connections', 5), { sent: false });
  await story.last.answer();
  await expect(ended).resolves.toMatch(/^call by/);
});
