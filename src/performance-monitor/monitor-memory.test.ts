import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { PerformanceMonitor } from './index.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const heapAfter = (work: () => void): number => {
  work();
  collect();
  collect();
  return process.memoryUsage().heapUsed;
};

describe('memory', () => {
  it('stays flat over a million increments, observations and unended timers, of ever new labels', () => {
    using monitor = new PerformanceMonitor({ maxSeries: 100, maxPendingTimers: 100 });
    let turn = 0;
    const record = (times: number) => () => {
      for (let index = 0; index < times; index += 1) {
        turn += 1;
        monitor.incrementCounter('calls', { user: `user-${turn}`, status: turn % 7 });
        if (turn % 10 === 0) {
          monitor.histogram('wait', turn % 5000, { user: turn }, { unit: 'ms' });
          monitor.startTimer('lost', { user: `u${turn}` });
        }
      }
    };
    const before = heapAfter(record(100_000));
    const after = heapAfter(record(1_000_000));
    expect(after - before).toBeLessThan(1_000_000);
    expect(monitor.getStats()).toMatchObject({ metrics: 3, series: 303, pendingTimers: 100 });
  });
});
