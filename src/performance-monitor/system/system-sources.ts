import { type MetricKind, type MetricSource, NO_LINE_LABELS } from '../metrics/metric.ts';
import type { SystemSnapshot } from './system-metrics.ts';

interface SystemLine {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
  read(system: SystemSnapshot): number;
}

const gauge = (name: string, help: string, read: SystemLine['read']): SystemLine => ({
  name,
  help,
  kind: 'gauge',
  read,
});

const LINES: readonly SystemLine[] = [
  gauge(
    'event_loop_delay_p50_seconds',
    'How late timers fire, median of the window.',
    ({ eventLoopDelayMs }) => eventLoopDelayMs.p50 / 1000,
  ),
  gauge(
    'event_loop_delay_p99_seconds',
    'How late timers fire, 99th percentile of the window.',
    ({ eventLoopDelayMs }) => eventLoopDelayMs.p99 / 1000,
  ),
  gauge(
    'event_loop_busy_ratio',
    'Share of the window that the event loop was busy.',
    ({ eventLoopBusyRatio }) => eventLoopBusyRatio,
  ),
  gauge('process_resident_memory_bytes', 'Resident memory.', ({ memory }) => memory.rssBytes),
  gauge('process_heap_used_bytes', 'JavaScript heap in use.', ({ memory }) => memory.heapUsedBytes),
  gauge('process_heap_limit_bytes', 'JavaScript heap at which V8 gives up.', ({ memory }) => memory.heapLimitBytes),
  {
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process.',
    kind: 'counter',
    read: ({ cpuSeconds }) => cpuSeconds,
  },
];

/** The system metrics in the form of a registry, read once a scrape. */
export function systemSources(
  prefix: string,
  labels: Readonly<Record<string, string>>,
  read: () => SystemSnapshot,
): readonly MetricSource[] {
  let current: SystemSnapshot | undefined;
  // A registry reads all sources in one turn, so they share one reading. The next turn drops it.
  const readOnce = (): SystemSnapshot => {
    if (current === undefined) {
      current = read();
      queueMicrotask(() => {
        current = undefined;
      });
    }
    return current;
  };
  return LINES.map((line) => ({
    exposedName: `${prefix}${line.name}`,
    kind: line.kind,
    help: line.help,
    shape: 'system',
    merge: 'last',
    samples: () => [{ labels: NO_LINE_LABELS, sharedLabels: labels, value: line.read(readOnce()) }],
    reset: () => {},
  }));
}
