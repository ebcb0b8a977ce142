import { describe, expect, it, vi } from 'vitest';
import { PerformanceMonitor } from './index.ts';

const loaded = vi.hoisted(() => ({ times: 0 }));

vi.mock('prom-client', async (importActual) => {
  loaded.times += 1;
  return importActual();
});

describe('loading prom-client', () => {
  it('waits for the first scrape, and concurrent scrapes agree', async () => {
    using monitor = new PerformanceMonitor();
    monitor.incrementCounter('calls');
    monitor.histogram('wait', 1);
    monitor.generateReport();
    expect(loaded.times).toBe(0);
    const [first, second] = await Promise.all([monitor.getMetrics(), monitor.getMetrics()]);
    expect(loaded.times).toBe(1);
    expect(first).toContain('describe_it_calls_total 1');
    expect(second).toContain('describe_it_calls_total 1');
  });
});
