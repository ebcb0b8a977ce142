import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { PerformanceMonitor, type PerformanceMonitorOptions } from './index.ts';
import { parseExposition } from './strict-exposition-parser.fixture.ts';

const DOUBLED = /(?:_|\b)(total|seconds|duration|bytes)_\1\b/;

/** The sample lines of a monitor's own metrics, without those of the process. */
async function linesOf(
  record: (monitor: PerformanceMonitor) => unknown,
  options: PerformanceMonitorOptions = {},
): Promise<readonly string[]> {
  using monitor = new PerformanceMonitor({ clock: new ManualClock(), ...options });
  await record(monitor);
  const text = await monitor.getMetrics();
  parseExposition(text);
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !/_(bucket|sum)\b/.test(line))
    .filter((line) => !/^\w*?(event_loop|process)_/.test(line));
}

const failing = (monitor: PerformanceMonitor, name: string) =>
  monitor.time(name, async () => Promise.reject(new Error('no'))).catch(() => {});

describe('dotted names', () => {
  it.each<[string, (monitor: PerformanceMonitor) => unknown, readonly string[]]>([
    [
      'a counter',
      (monitor) => monitor.incrementCounter('api.requests', { endpoint: '/describe' }),
      ['describe_it_api_requests_total{endpoint="/describe"} 1'],
    ],
    [
      'a counter that ends in total',
      (monitor) => monitor.incrementCounter('api.requests.total'),
      ['describe_it_api_requests_total 1'],
    ],
    ['a counter called total', (monitor) => monitor.incrementCounter('total'), ['describe_it_total 1']],
    ['a gauge', (monitor) => monitor.gauge('queue.size', 3), ['describe_it_queue_size 3']],
    [
      'a histogram in bytes',
      (monitor) => monitor.histogram('upload.size.bytes', 9, {}, { unit: 'bytes' }),
      ['describe_it_upload_size_bytes_count 1'],
    ],
    [
      'a histogram in milliseconds',
      (monitor) => monitor.histogram('wait.ms', 9, {}, { unit: 'ms' }),
      ['describe_it_wait_seconds_count 1'],
    ],
    [
      'an operation',
      (monitor) => monitor.time('image.processing', () => 1),
      ['describe_it_image_processing_duration_seconds_count 1'],
    ],
    [
      'an operation that fails',
      (monitor) => failing(monitor, 'image.processing.duration'),
      ['describe_it_image_processing_duration_seconds_count 1', 'describe_it_image_processing_errors_total 1'],
    ],
    ...['api.describe.duration', 'api_describe.duration', 'api.describe.duration.ms', 'api.describe.seconds'].map(
      (name) =>
        [
          `a timer of ${name}`,
          (monitor: PerformanceMonitor) => monitor.endTimer(monitor.startTimer(name)),
          ['describe_it_api_describe_duration_seconds_count 1'],
        ] as [string, (monitor: PerformanceMonitor) => unknown, readonly string[]],
    ),
    [
      'a timer called duration',
      (monitor) => monitor.endTimer(monitor.startTimer('duration')),
      ['describe_it_duration_seconds_count 1'],
    ],
  ])('expose %s with underscores, and no suffix twice', async (_name, record, expected) => {
    const lines = await linesOf(record);
    expect(lines).toEqual(expected);
    expect(lines.filter((line) => DOUBLED.test(line))).toEqual([]);
  });

  it('may stand in the prefix and in the HELP texts', async () => {
    using monitor = new PerformanceMonitor({ prefix: 'gallery.web.', help: { 'api.requests': 'Calls.' } });
    monitor.incrementCounter('api.requests.total');
    const families = parseExposition(await monitor.getMetrics());
    expect(families.get('gallery_web_api_requests_total')?.help).toBe('Calls.');
  });
});

describe('names that become equal', () => {
  it('are one counter, with differing label sets', async () => {
    const lines = await linesOf((monitor) => {
      monitor.incrementCounter('api.requests', { endpoint: '/describe' });
      monitor.incrementCounter('api.requests.total');
      monitor.incrementCounter('api_requests_total', {}, 2);
      monitor.incrementCounter('api_requests', { endpoint: '/describe', method: 'POST' });
    });
    expect(lines).toEqual([
      'describe_it_api_requests_total{endpoint="/describe"} 1',
      'describe_it_api_requests_total 3',
      'describe_it_api_requests_total{endpoint="/describe",method="POST"} 1',
    ]);
  });

  it('are one gauge and one histogram', async () => {
    const lines = await linesOf(async (monitor) => {
      monitor.gauge('queue.size', 3);
      monitor.gauge('queue_size', 4);
      await monitor.time('api.describe', async () => 1);
      await monitor.time('api.describe.duration', async () => 1);
      monitor.histogram('api_describe_duration', 5, { route: '/' }, { unit: 'ms' });
    });
    expect(lines).toEqual([
      'describe_it_queue_size 4',
      'describe_it_api_describe_duration_seconds_count 2',
      'describe_it_api_describe_duration_seconds_count{route="/"} 1',
    ]);
  });

  it('are an error for another kind, however they are spelled', () => {
    using monitor = new PerformanceMonitor();
    monitor.gauge('queue.size', 3);
    const wrong = expect.objectContaining({ code: 'DESCRIBE_INPUT_INVALID', field: 'name' });
    expect(() => monitor.incrementCounter('queue_size')).toThrow(wrong);
    expect(() => monitor.histogram('queue.size', 1)).toThrow(wrong);
    monitor.incrementCounter('api.requests');
    expect(() => monitor.gauge('api.requests.total', 1)).toThrow(wrong);
  });

  it('are an error in another unit, whose values would be mixed up', () => {
    using monitor = new PerformanceMonitor();
    monitor.histogram('wait', 20, {}, { unit: 'ms' });
    expect(() => monitor.histogram('wait.seconds', 0.02, {}, { unit: 'seconds' })).toThrow('in ms already');
  });

  it('cost no memory, however many spellings there are', () => {
    using monitor = new PerformanceMonitor({ maxMetrics: 1 });
    const words = 'a_b_c_d_e_f_g'.split('_');
    for (let mask = 0; mask < 64; mask += 1) {
      const name = words
        .map((word, index) => word + ((mask >> index) & 1 ? '.' : '_'))
        .join('')
        .slice(0, -1);
      monitor.incrementCounter(name);
    }
    expect(monitor.getStats()).toMatchObject({ metrics: 1, overflows: 0 });
    expect(monitor.generateReport().counters).toMatchObject([{ total: 64 }]);
  });
});

describe('reports', () => {
  it('name things as they were recorded, without the suffixes', async () => {
    using monitor = new PerformanceMonitor({ clock: new ManualClock(), alerts: { minimumCalls: 1 } });
    monitor.incrementCounter('api.requests.total');
    monitor.gauge('queue.size', 3);
    monitor.histogram('upload.size', 3, {}, { unit: 'bytes' });
    await failing(monitor, 'api.describe.duration');
    const { operations, counters, gauges, distributions, health } = monitor.generateReport();
    expect(operations).toMatchObject([{ name: 'api.describe', count: 1, errorCount: 1 }]);
    expect(counters.map(({ name }) => name)).toEqual(['api.requests', 'api.describe_errors']);
    expect(gauges).toMatchObject([{ name: 'queue.size' }]);
    expect(distributions).toMatchObject([{ name: 'upload.size' }]);
    expect(health.checks.errorRatio).toMatchObject({ status: 'unhealthy', operation: 'api.describe' });
  });
});
