import { afterEach } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { PerformanceMonitor, type PerformanceMonitorOptions } from './index.ts';
import { parseExposition } from './strict-exposition-parser.fixture.ts';

/** Makes monitors on a manual clock, which are closed after each test. */
export function useMonitors() {
  const open: PerformanceMonitor[] = [];
  afterEach(() => {
    for (const monitor of open.splice(0)) monitor.close();
  });
  return (options: PerformanceMonitorOptions = {}) => {
    const clock = new ManualClock();
    const monitor = new PerformanceMonitor({ clock, ...options });
    open.push(monitor);
    return { clock, monitor };
  };
}

/** One metric of the exposed text. */
export const exposed = async (monitor: PerformanceMonitor, name: string) =>
  parseExposition(await monitor.getMetrics()).get(name);
