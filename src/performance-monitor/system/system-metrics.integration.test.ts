import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../internal/clock.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { SystemMetrics } from './system-metrics.ts';

/** Blocks the thread until the process has had that much of a CPU, which on a busy machine takes longer. */
const spin = (cpuMs: number) => {
  const before = process.cpuUsage();
  const usedMs = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  while (usedMs() < cpuMs);
};

describe('SystemMetrics', () => {
  it('sees a blocked event loop and a busy CPU', async () => {
    const metrics = new SystemMetrics(systemClock, 60_000, true);
    await sleep(60);
    spin(200);
    await sleep(60);
    const { eventLoopDelayMs, eventLoopBusyRatio, cpuRatio, cpuSeconds, memory } = metrics.read();
    metrics.close();
    expect(eventLoopDelayMs.max).toBeGreaterThan(150);
    expect(eventLoopDelayMs.p50).toBeLessThan(eventLoopDelayMs.max);
    expect(eventLoopBusyRatio).toBeGreaterThan(0);
    expect(eventLoopBusyRatio).toBeLessThanOrEqual(1);
    expect(cpuRatio).toBeGreaterThan(0);
    expect(cpuSeconds).toBeGreaterThan(0.1);
    expect(memory.heapUsedBytes).toBeLessThan(memory.heapLimitBytes);
  });

  it('looks back over the window only', async () => {
    const metrics = new SystemMetrics(systemClock, 50, true);
    await sleep(60);
    spin(100);
    await sleep(60);
    expect(metrics.read().eventLoopDelayMs.max).toBeGreaterThan(40);
    expect(metrics.read().eventLoopDelayMs).toEqual({ mean: 0, p50: 0, p99: 0, max: 0, sustained: 0 });
    metrics.close();
  });

  it('judges no delay of the first ten seconds, in which modules are loaded', async () => {
    const clock = new ManualClock();
    const metrics = new SystemMetrics(clock, 60_000, true);
    await sleep(40);
    spin(300);
    await sleep(40);
    const { max, sustained } = metrics.read().eventLoopDelayMs;
    expect(max).toBeGreaterThan(200);
    expect(sustained).toBe(0);
    await clock.advance(10_000);
    expect(metrics.read().eventLoopDelayMs.max).toBe(0);
    for (let block = 0; block < 5; block += 1) {
      spin(100);
      await sleep(1);
    }
    expect(metrics.read().eventLoopDelayMs.sustained).toBeGreaterThan(40);
    metrics.close();
  });

  it('reads memory without a file descriptor', () => {
    const metrics = new SystemMetrics(systemClock, 60_000, false);
    const exhausted = () => {
      throw Object.assign(new Error('EMFILE: too many open files, uv_resident_set_memory'), {
        code: 'EMFILE',
      });
    };
    const usage = vi.spyOn(process, 'memoryUsage').mockImplementation(exhausted);
    const rss = vi.fn(exhausted);
    Object.assign(process.memoryUsage, { rss });
    const { memory } = metrics.read();
    usage.mockRestore();
    expect(rss).toHaveBeenCalled();
    for (const bytes of Object.values(memory)) expect(bytes).toBeGreaterThan(0);
    metrics.close();
  });

  it('reads zeros and starts nothing while it does not sample', async () => {
    const metrics = new SystemMetrics(systemClock, 60_000, false);
    spin(50);
    await sleep(30);
    expect(metrics.read().eventLoopDelayMs.max).toBe(0);
    metrics.close();
  });
});
