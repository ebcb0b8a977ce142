import { describe, expect, it } from 'vitest';
import { inRoundOrder, measureSuite } from './measure-suite.ts';
import { defineSuite } from './suite.ts';
import { reportSuite } from './suite-report.ts';

const spin = (turns: number) => {
  let state = 1;
  for (let turn = 0; turn < turns; turn += 1) state = (Math.imul(state, 48_271) + turn) | 0;
  return state;
};

describe('measureSuite', () => {
  it('measures sync and async contenders, and finds the larger work slower', async () => {
    const suite = defineSuite({
      name: 'spin',
      baseline: 'short',
      contenders: {
        short: () => spin(1_000) !== 0,
        long: async () => spin(10_000) !== 0,
      },
    });
    const report = reportSuite(suite, await measureSuite(suite, { rounds: 5, sliceMs: 5, warmUpMs: 1 }));
    expect(report.rounds).toBe(5);
    // Ten times the work, of which a busy machine may show little.
    expect(report.contenders[1]?.ratio?.value).toBeGreaterThan(1);
    expect(report.contenders[1]?.cpuMs).toBeGreaterThan(0);
  });

  it('passes the context on, and tears it down also after a failure', async () => {
    const log: string[] = [];
    const suite = defineSuite({
      name: 'context',
      baseline: 'reads',
      setup: () => ({ value: 42 }),
      teardown: ({ value }) => log.push(`teardown ${value}`),
      verify: (result, { value }) => result === value,
      contenders: { reads: ({ value }) => value, breaks: () => 41 },
    });
    const options = { rounds: 2, sliceMs: 1, warmUpMs: 1 };
    await expect(measureSuite(suite, options)).rejects.toThrow('breaks: the result is wrong');
    // Each contender has a context of its own.
    expect(log).toEqual(['teardown 42', 'teardown 42']);
  });

  it('rejects a contender that proves no work', async () => {
    const suite = defineSuite({ name: 'nothing', baseline: 'idle', contenders: { idle: () => undefined } });
    await expect(measureSuite(suite)).rejects.toThrow('nothing was returned');
  });

  it('rejects a sample that measures nothing', async () => {
    const suite = defineSuite({ name: 'none', baseline: 'own', contenders: { own: { sample: () => ({ value: 0 }) } } });
    await expect(measureSuite(suite)).rejects.toThrow('own: a sample of 0 measures nothing');
  });

  it('tells a slice how many operations it must have seen', async () => {
    let seen = 0;
    const suite = defineSuite({
      name: 'counted',
      baseline: 'counts',
      contenders: {
        counts: {
          operations: 2,
          beforeSlice: () => {
            seen = 0;
          },
          run: () => {
            seen += 2;
            return seen;
          },
          afterSlice: (_, operations) => expect(seen).toBe(operations),
        },
      },
    });
    const measurements = await measureSuite(suite, { rounds: 3, sliceMs: 2, warmUpMs: 1 });
    expect(measurements.get('counts')).toHaveLength(3);
  });

  it('takes the samples of a contender that measures itself', async () => {
    const values = [3, 4, 5];
    const suite = defineSuite({
      name: 'sampled',
      baseline: 'own',
      unit: 'requests',
      contenders: { own: { sample: () => ({ value: values.shift() ?? 0 }) } },
    });
    const report = reportSuite(suite, await measureSuite(suite, { rounds: 3 }));
    expect(report).toMatchObject({ unit: 'requests', contenders: [{ median: 4, rounds: [3, 4, 5] }] });
  });
});

describe('inRoundOrder', () => {
  it('turns the order round from one round to the next', () => {
    for (const round of [0, 2, 4]) {
      const order = inRoundOrder(['a', 'b', 'c'], round);
      expect(inRoundOrder(['a', 'b', 'c'], round + 1)).toEqual([...order].reverse());
    }
  });

  it('gives every contender every place equally often', () => {
    const items = ['a', 'b', 'c'];
    const places = new Map<string, number>();
    for (let round = 0; round < 6; round += 1) {
      for (const [place, item] of inRoundOrder(items, round).entries()) {
        places.set(`${item}${place}`, (places.get(`${item}${place}`) ?? 0) + 1);
      }
    }
    expect([...places.values()]).toEqual(Array(9).fill(2));
  });
});

describe('defineSuite', () => {
  it('refuses a baseline or a gate that names no contender', () => {
    const contenders = { ours: () => 1 };
    expect(() => defineSuite({ name: 'x', baseline: 'theirs', contenders })).toThrow('theirs');
    expect(() => defineSuite({ name: 'x', baseline: 'ours', contenders, gates: { our: 1 } })).toThrow('our');
    const versus = { ours: [{ versus: 'them', maxRatio: 1 }] };
    expect(() => defineSuite({ name: 'x', baseline: 'ours', contenders, gates: versus })).toThrow('them');
  });
});
