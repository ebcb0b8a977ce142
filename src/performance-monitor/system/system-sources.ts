import { type MetricSource, NO_LINE_LABELS } from '../metrics/metric.ts';
import type { SystemSnapshot } from './system-metrics.ts';

type SystemLine = readonly [name: string, help: string, read: (system: SystemSnapshot) => number];

const LINES: readonly SystemLine[] = [
  [
    'event_loop_delay_p50_seconds',
    'How late timers fire, median of the window.',
    ({ eventLoopDelayMs }) => eventLoopDelayMs.p50 / 1000,
  ],
  [
    'event_loop_delay_p99_seconds',
    'How late timers fire, 99th percentile of the window.',
    ({ eventLoopDelayMs }) => eventLoopDelayMs.p99 / 1000,
  ],
  [
    'event_loop_busy_ratio',
    'Share of the window that the event loop was busy.',
    ({ eventLoopBusyRatio }) => eventLoopBusyRatio,
  ],
  ['process_resident_memory_bytes', 'Resident memory.', ({ memory }) => memory.rssBytes],
  ['process_heap_used_bytes', 'JavaScript heap in use.', ({ memory }) => memory.heapUsedBytes],
  ['process_heap_limit_bytes', 'JavaScript heap at which V8 gives up.', ({ memory }) => memory.heapLimitBytes],
  ['process_cpu_seconds_total', 'CPU time of the process.', ({ cpuSeconds }) => cpuSeconds],
];

/** The system metrics in the form of a registry, read once a scrape. */
export function systemSources(
  prefix: string,
  labels: Readonly<Record<string, string>>,
  readSystem: () => SystemSnapshot,
): readonly MetricSource[] {
  let current: SystemSnapshot | undefined;
  // A registry reads all sources in one turn, so they share one reading. The next turn drops it.
  const readOnce = (): SystemSnapshot => {
    if (current === undefined) {
      current = readSystem();
      queueMicrotask(() => {
        current = undefined;
      });
    }
    return current;
  };
  return LINES.map(([name, help, read]) => ({
    exposedName: `${prefix}${name}`,
    kind: name.endsWith('_total') ? 'counter' : 'gauge',
    help,
    shape: 'system',
    merge: 'last',
    samples: () => [{ labels: NO_LINE_LABELS, sharedLabels: labels, value: read(readOnce()) }],
    reset: () => {},
  }));
}
