import { describe, expect, it, vi } from 'vitest';
import type { PerformanceMonitor } from './index.ts';
import { useMonitors } from './monitors.fixture.ts';

const monitorOn = useMonitors();

describe('generateReport', () => {
  it('looks back over the window only', async () => {
    const { clock, monitor } = monitorOn({ windowMs: 10_000 });
    for (let value = 1; value <= 100; value += 1) monitor.histogram('size', value);
    monitor.incrementCounter('calls', {}, 50);
    await clock.advance(5_000);
    const report = monitor.generateReport();
    expect(report.distributions[0]).toMatchObject({
      name: 'size',
      count: 100,
      min: 1,
      max: 100,
      perSecond: 20,
    });
    expect(Math.abs((report.distributions[0]?.p95 ?? 0) / 95 - 1)).toBeLessThan(0.008);
    expect(report.counters).toEqual([{ name: 'calls', total: 50, perSecond: 10 }]);
    await clock.advance(10_000);
    monitor.histogram('size', 7);
    expect(monitor.generateReport().distributions[0]).toMatchObject({ count: 1, p50: 7 });
    await clock.advance(20_000);
    expect(monitor.generateReport()).toMatchObject({
      distributions: [{ count: 0, p50: 0 }],
      counters: [{ total: 50 }],
    });
  });

  it('counts errors over the same window as calls', async () => {
    const { clock, monitor } = monitorOn({ windowMs: 10_000 });
    const fail = () => {
      throw new Error('down');
    };
    for (let call = 0; call < 4; call += 1) expect(() => monitor.time('describe', fail)).toThrow('down');
    await clock.advance(12_000);
    for (let call = 0; call < 4; call += 1) monitor.time('describe', () => true);
    expect(monitor.generateReport().operations).toMatchObject([{ count: 4, errorCount: 0, errorRatio: 0 }]);
    await clock.advance(3_000);
    expect(() => monitor.time('describe', fail)).toThrow('down');
    expect(monitor.generateReport().operations).toMatchObject([{ count: 5, errorCount: 1, errorRatio: 0.2 }]);
  });

  it('is frozen and safe to log', () => {
    const { monitor } = monitorOn();
    monitor.gauge('depth', 3, { queue: 'a' });
    const report = monitor.generateReport();
    expect(report.gauges).toEqual([{ name: 'depth', labels: { queue: 'a' }, value: 3 }]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(Object.isFrozen(report.system.memory)).toBe(true);
    expect(report.system.memory.heapUsedBytes).toBeGreaterThan(1e6);
  });
});

describe('startReporting', () => {
  it('sends a report every interval, until it is stopped', async () => {
    const info = vi.fn();
    const { clock, monitor } = monitorOn({ logger: { info } });
    const stop = monitor.startReporting(1000);
    await clock.advance(3000);
    expect(info).toHaveBeenCalledTimes(3);
    expect(info).toHaveBeenCalledWith({ report: expect.objectContaining({ uptimeMs: 1000 }) }, 'performance report');
    stop();
    await clock.advance(3000);
    expect(info).toHaveBeenCalledTimes(3);
    expect(clock.pendingTimers).toBe(0);
  });

  it('outlives a logger that throws', async () => {
    const info = vi.fn(() => {
      throw new Error('disk full');
    });
    const { clock, monitor } = monitorOn({ logger: { info } });
    monitor.startReporting(1000);
    await clock.advance(2000);
    expect(info).toHaveBeenCalledTimes(2);
  });

  it('replaces the reports that run already', async () => {
    const info = vi.fn();
    const { clock, monitor } = monitorOn({ logger: { info } });
    monitor.startReporting(10);
    monitor.startReporting(1000);
    await clock.advance(1000);
    expect(info).toHaveBeenCalledTimes(1);
  });

  it('refuses an interval that is none, and a monitor without a logger', () => {
    const { monitor } = monitorOn();
    expect(() => monitor.startReporting(0)).toThrow(/intervalMs: .*; logger: /);
  });
});

describe('alerts and health', () => {
  const failing = (monitor: PerformanceMonitor, failures: number, successes: number) => {
    const fail = () => {
      throw new Error('down');
    };
    for (let call = 0; call < failures; call += 1) expect(() => monitor.time('describe', fail)).toThrow('down');
    for (let call = 0; call < successes; call += 1) monitor.time('describe', () => true);
  };

  it('is healthy at rest', () => {
    const { monitor } = monitorOn();
    expect(monitor.getHealthStatus()).toMatchObject({
      status: 'healthy',
      checks: {
        heapUsedRatio: { status: 'healthy' },
        errorRatio: { value: 0, warning: 0.25, critical: 0.75 },
      },
    });
  });

  it('judges the worst operation once it has enough calls', () => {
    const { monitor } = monitorOn({ alerts: { minimumCalls: 4 } });
    failing(monitor, 3, 0);
    expect(monitor.getHealthStatus().status).toBe('healthy');
    failing(monitor, 0, 3);
    expect(monitor.getHealthStatus()).toMatchObject({
      status: 'degraded',
      checks: { errorRatio: { status: 'degraded', value: 0.5, operation: 'describe' } },
    });
    failing(monitor, 12, 0);
    expect(monitor.getHealthStatus().status).toBe('unhealthy');
  });

  it('turns a check off, and takes a bare number as warning', () => {
    const { monitor } = monitorOn({
      alerts: { heapUsedRatio: false, eventLoopDelayMs: false, latencyMs: 100 },
    });
    expect(Object.keys(monitor.getHealthStatus().checks)).toEqual(['errorRatio', 'latencyMs']);
    expect(monitor.getHealthStatus().checks.latencyMs).toEqual({ status: 'healthy', value: 0, warning: 100 });
  });

  it.each([
    ['eventLoopDelayMs', { warning: 900_000, critical: 950_000 }, 'healthy'],
    ['heapUsedRatio', { warning: 0, critical: 1 }, 'degraded'],
    ['cpuRatio', { warning: 0, critical: 1_000_000 }, 'degraded'],
    ['errorRatio', { warning: 0.9, critical: 1 }, 'unhealthy'],
    ['latencyMs', { warning: 50, critical: 5_000 }, 'degraded'],
  ] as const)('judges by the thresholds that it is given: %s', async (check, limits, status) => {
    const { clock, monitor } = monitorOn({ alerts: { [check]: limits, minimumCalls: 1 } });
    failing(monitor, 1, 0);
    const slow = monitor.startTimer('slow');
    await clock.advance(100);
    monitor.endTimer(slow);
    expect(monitor.getHealthStatus().checks[check]).toMatchObject({ ...limits, status });
  });

  it('looks every alertIntervalMs', async () => {
    const { clock, monitor } = monitorOn({ alerts: { minimumCalls: 1 }, alertIntervalMs: 500 });
    const listener = vi.fn();
    monitor.onAlert(listener);
    failing(monitor, 1, 0);
    await clock.advance(499);
    expect(listener).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(listener).toHaveBeenCalledOnce();
  });

  it('tells once when a check gets worse and once when it recovers', async () => {
    const { clock, monitor } = monitorOn({ alerts: { minimumCalls: 1 }, windowMs: 60_000 });
    const alerts: unknown[] = [];
    const off = monitor.onAlert(({ check, status, previousStatus, worsened }) => {
      alerts.push([check, previousStatus, status, worsened]);
    });
    failing(monitor, 1, 1);
    await clock.advance(30_000);
    expect(alerts).toEqual([['errorRatio', 'healthy', 'degraded', true]]);
    await clock.advance(60_000);
    expect(alerts.slice(1)).toEqual([['errorRatio', 'degraded', 'healthy', false]]);
    off();
    expect(clock.pendingTimers).toBe(0);
  });

  it('outlives a listener that throws', async () => {
    const { clock, monitor } = monitorOn({ alerts: { minimumCalls: 1 } });
    const second = vi.fn();
    monitor.onAlert(() => {
      throw new Error('listener');
    });
    monitor.onAlert(second);
    failing(monitor, 1, 0);
    await clock.advance(10_000);
    expect(second).toHaveBeenCalledOnce();
  });
});
