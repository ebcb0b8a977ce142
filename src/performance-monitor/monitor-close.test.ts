import { describe, expect, it, vi } from 'vitest';
import type { PerformanceMonitorOptions } from './index.ts';
import { PerformanceMonitor } from './index.ts';
import { exposed, useMonitors } from './monitors.fixture.ts';
import { parseExposition } from './strict-exposition-parser.fixture.ts';

const monitorOn = useMonitors();

describe('life', () => {
  it('lists every wrong option', () => {
    const options = {
      maxSeries: 0,
      windowMs: 'x',
      prefx: 'a',
      labels: { le: 'x' },
      alerts: { errorRatio: 2 },
    };
    expect(() => new PerformanceMonitor(options as unknown as PerformanceMonitorOptions)).toThrow(
      /did you mean prefix\?.*labels\.le.*maxSeries.*windowMs.*alerts\.errorRatio/,
    );
  });

  it('records nothing after close, and still shows what it recorded', async () => {
    const { clock, monitor } = monitorOn({ logger: { info: vi.fn() } });
    monitor.incrementCounter('calls');
    monitor.startReporting(10);
    monitor.onAlert(() => {});
    monitor.close();
    monitor.close();
    monitor.incrementCounter('calls');
    monitor.gauge('depth', 1);
    expect(monitor.time('late', () => 5)).toBe(5);
    expect(clock.pendingTimers).toBe(0);
    expect(() => monitor.onAlert(() => {})).toThrow(expect.objectContaining({ code: 'DESCRIBE_CLOSED' }));
    expect(() => monitor.startReporting(10)).toThrow(expect.objectContaining({ code: 'DESCRIBE_CLOSED' }));
    expect((await exposed(monitor, 'describe_it_calls_total'))?.samples).toMatchObject([{ value: 1 }]);
  });

  it('records, starts and shows nothing when it is not enabled', async () => {
    const { clock, monitor } = monitorOn({ enabled: false, logger: { info: vi.fn() } });
    monitor.onAlert(() => {});
    monitor.startReporting(1000);
    expect(clock.pendingTimers).toBe(0);
    monitor.incrementCounter('calls');
    expect(monitor.time('work', () => 1)).toBe(1);
    expect(monitor.getStats()).toEqual({
      metrics: 0,
      series: 0,
      overflows: 0,
      pendingTimers: 0,
      droppedTimers: 0,
    });
    expect(await monitor.getMetrics()).toBe('');
  });

  it('puts its own labels on every series', async () => {
    const { monitor } = monitorOn({ labels: { service: 'a "b"\nc\\' }, prefix: '' });
    monitor.incrementCounter('calls', { model: 'x' });
    const families = parseExposition(await monitor.getMetrics());
    expect(families.get('calls_total')?.samples[0]?.labels).toEqual({ service: 'a "b"\nc\\', model: 'x' });
    for (const { samples } of families.values()) {
      for (const { labels } of samples) expect(labels['service']).toBe('a "b"\nc\\');
    }
  });
});
