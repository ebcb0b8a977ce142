import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAJOR_VERSION } from '../internal/modules/process-singleton.ts';
import { getPerformanceMonitor } from './index.ts';

const KEY = Symbol.for(`@describe-it/sdk/performance-monitor@${MAJOR_VERSION}`);
const store = globalThis as unknown as Record<symbol, { close(): void } | undefined>;

const forget = () => {
  store[KEY]?.close();
  delete store[KEY];
  vi.unstubAllEnvs();
};

beforeEach(forget);
afterEach(() => {
  vi.useRealTimers();
  forget();
});

describe('getPerformanceMonitor', () => {
  it('gives the same monitor everywhere in the process', async () => {
    const monitor = getPerformanceMonitor();
    vi.resetModules();
    const again = await import('./index.ts');
    expect(again.getPerformanceMonitor()).toBe(monitor);
    monitor.incrementCounter('calls');
    expect(monitor.getStats().metrics).toBe(1);
  });

  it('records nothing when the environment says so', () => {
    vi.stubEnv('PERFORMANCE_MONITORING_ENABLED', 'false');
    vi.stubEnv('PERFORMANCE_REPORT_INTERVAL', '1000');
    const monitor = getPerformanceMonitor();
    monitor.incrementCounter('calls');
    expect(monitor.getStats().metrics).toBe(0);
  });

  it('reports to the logger every PERFORMANCE_REPORT_INTERVAL milliseconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.stubEnv('PERFORMANCE_REPORT_INTERVAL', '1000');
    const info = vi.fn();
    getPerformanceMonitor({ logger: { info } });
    await vi.advanceTimersByTimeAsync(2500);
    expect(info).toHaveBeenCalledTimes(2);
  });

  it('names a variable that does not parse, and minds no other', () => {
    vi.stubEnv('REDIS_PORT', 'x');
    vi.stubEnv('PERFORMANCE_REPORT_INTERVAL', 'often');
    expect(() => getPerformanceMonitor()).toThrow(
      /^environment: PERFORMANCE_REPORT_INTERVAL: expected milliseconds from 1 to 2147483647, got "often"$/,
    );
    vi.stubEnv('PERFORMANCE_REPORT_INTERVAL', '');
    expect(() => getPerformanceMonitor()).not.toThrow();
  });
});
