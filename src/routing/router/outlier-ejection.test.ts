import { describe, expect, it } from 'vitest';
import { OutlierEjection } from './endpoint-health.ts';
import { failureOf, RouterStory } from './router-story.fixture.ts';

/** An endpoint that was ejected now, for the first time. */
const ejected = (nowMs = 0) => {
  const ejection = new OutlierEjection();
  for (let outage = 0; outage < 5; outage += 1) ejection.failed(nowMs, nowMs, undefined, true);
  return ejection;
};

describe('an ejection', () => {
  it('follows five outages in a row', () => {
    const ejection = new OutlierEjection();
    for (let round = 0; round < 3; round += 1) {
      for (let outage = 0; outage < 4; outage += 1) ejection.failed(0, 0, undefined, true);
      ejection.succeeded(0, 0);
    }
    expect(ejection.returnInMs(0)).toBe(0);
    expect(ejected().returnInMs(0)).toBe(10_000);
  });

  it('follows a success ratio far below that of the others', () => {
    const halfBad = (othersRatio: number) => {
      const ejection = new OutlierEjection();
      let ejections = 0;
      for (let outcome = 0; outcome < 40; outcome += 1) {
        if (outcome % 2 === 0) ejection.succeeded(outcome, outcome);
        else if (ejection.failed(outcome, outcome, othersRatio, true)) ejections += 1;
      }
      return ejections;
    };
    expect(halfBad(1)).toBeGreaterThan(0);
    expect(halfBad(0.6)).toBe(0);
  });

  it('does not happen where it may not', () => {
    const ejection = new OutlierEjection();
    for (let outage = 0; outage < 25; outage += 1) ejection.failed(0, 0, 1, false);
    expect(ejection.returnInMs(0)).toBe(0);
  });

  it('lasts longer each time, and shorter again after good behaviour', () => {
    const ejection = ejected();
    expect(ejection.failed(10_000, 10_000, undefined, true)).toBe(true);
    expect(ejection.returnInMs(10_000)).toBe(20_000);
    ejection.failed(30_000, 30_000, undefined, true);
    expect(ejection.returnInMs(30_000)).toBe(30_000);
    ejection.succeeded(60_000, 60_000);
    for (let outage = 0; outage < 5; outage += 1) ejection.failed(90_000, 90_000, undefined, true);
    expect(ejection.returnInMs(90_000)).toBe(10_000);
  });

  it('ends gradually: the share grows from a tenth to all of it in half a minute', () => {
    const ejection = ejected();
    expect([10_000, 13_000, 25_000, 40_000, 99_000].map((atMs) => ejection.share(atMs))).toEqual([0.1, 0.1, 0.5, 1, 1]);
  });

  it('follows one failure after the return, until the first success', () => {
    const ejection = ejected();
    ejection.succeeded(10_000, 11_000);
    expect(ejection.failed(11_000, 12_000, undefined, true)).toBe(false);
    expect(ejected().failed(10_000, 10_001, undefined, true)).toBe(true);
  });

  it('takes no notice of what began before it ended', () => {
    const ejection = ejected();
    for (let outage = 0; outage < 9; outage += 1) ejection.failed(9_999, 15_000, undefined, true);
    ejection.succeeded(9_999, 15_000);
    expect(ejection.returnInMs(15_000)).toBe(0);
    expect(ejection.failed(10_000, 15_000, undefined, true)).toBe(true);
  });
});

describe('endpoints that fail', () => {
  const failNext = async (story: RouterStory, endpoint: string) => {
    void story.run();
    if (story.last.leg.endpoint === endpoint) await story.last.fail(failureOf.outage());
    else await story.last.answer();
  };

  it('leave rotation: 25 straight 500s are never sent', async () => {
    const story = new RouterStory([{ name: 'good' }, { name: 'bad' }]);
    for (let call = 0; call < 200; call += 1) await failNext(story, 'bad');
    expect(story.quota('bad').taken).toBeLessThanOrEqual(5);
    expect(story.modelStats('bad')).toMatchObject({ condition: 'ejected', ejections: 1, returnInMs: 10_000 });
  });

  it('come back with a tenth of their slots, and have all of them half a minute later', async () => {
    const story = new RouterStory([{ name: 'good', maxConcurrency: 1 }, { name: 'bad' }]);
    for (let call = 0; call < 5; call += 1) void story.run();
    for (const held of story.legs.filter(({ leg }) => leg.endpoint === 'bad')) await held.fail(failureOf.outage());
    while (story.modelStats('bad').condition !== 'ejected') {
      void story.run();
      await story.last.fail(failureOf.outage());
    }
    await story.clock.advance(10_000);
    expect(story.modelStats('bad').concurrency).toBe(1);
    await story.clock.advance(15_000);
    expect(story.modelStats('bad').concurrency).toBe(5);
    await story.clock.advance(15_000);
    expect(story.modelStats('bad').concurrency).toBe(10);
  });

  it('stay when they are the only one', async () => {
    const story = new RouterStory([{ name: 'bad' }]);
    for (let call = 0; call < 30; call += 1) await failNext(story, 'bad');
    expect(story.modelStats('bad')).toMatchObject({ failures: 30, ejections: 0 });
  });

  it('leave rotation at most by half', async () => {
    const story = new RouterStory([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
    for (let call = 0; call < 60; call += 1) {
      void story.run();
      await story.last.fail(failureOf.outage());
    }
    const conditions = ['a', 'b', 'c'].map((name) => story.modelStats(name).condition);
    expect(conditions.filter((condition) => condition === 'ejected')).toHaveLength(1);
  });
});
