import { Counter, Histogram, Registry } from 'prom-client';
import { PerformanceMonitor } from '../src/performance-monitor/index.ts';
import { defineSuite } from './harness/index.ts';

const MODELS = ['gpt-4.1', 'gpt-4.1-mini', 'gpt-4.1-nano', 'gpt-4o'] as const;
const BUCKETS_MS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];

/** Each run takes the next of these, so that no contender sees the same labels twice in a row. */
const LABELS = Array.from({ length: 64 }, (_, index) => ({
  model: MODELS[index % 4] ?? 'other',
  status: String(200 + (index % 5)),
}));

const setup = () => {
  const registry = new Registry();
  return {
    monitor: new PerformanceMonitor({ prefix: '', maxSeries: 1000 }),
    counter: new Counter({
      name: 'calls_total',
      help: 'calls',
      labelNames: ['model', 'status'],
      registers: [registry],
    }),
    histogram: new Histogram({
      name: 'wait_seconds',
      help: 'waits',
      labelNames: ['model', 'status'],
      buckets: BUCKETS_MS.map((bound) => bound / 1000),
      registers: [registry],
    }),
    registry,
    turn: 0,
  };
};

type Context = ReturnType<typeof setup>;

const nextLabels = (context: Context) => {
  context.turn += 1;
  return LABELS[context.turn & 63] ?? { model: '', status: '' };
};

const linesOf = (text: string, name: string): readonly string[] =>
  text.split('\n').filter((line) => line.startsWith(`${name}{`));

const total = (text: string, name: string): number =>
  linesOf(text, name).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);

/** Compares what a scrape shows before and after a slice with the operations done. */
const seesAll = (name: string, scrape: (context: Context) => Promise<string>) => {
  let before = 0;
  return {
    beforeSlice: async (context: Context) => {
      before = total(await scrape(context), name);
    },
    afterSlice: async (context: Context, operations: number) => {
      const seen = total(await scrape(context), name) - before;
      if (seen !== operations) throw new Error(`${name}: ${seen} of ${operations} recorded`);
    },
  };
};

const ofMonitor = ({ monitor }: Context) => monitor.getMetrics();
const ofRegistry = ({ registry }: Context) => registry.metrics();
const teardown = ({ monitor }: Context) => monitor.close();

export const suites = [
  defineSuite<Context>({
    name: 'monitor hot path: counter with two labels',
    baseline: 'prom-client',
    gates: { 'PerformanceMonitor.incrementCounter': 1 },
    setup,
    teardown,
    contenders: {
      'prom-client': {
        ...seesAll('calls_total', ofRegistry),
        run: (context) => {
          context.counter.inc(nextLabels(context), 1);
          return true;
        },
      },
      'PerformanceMonitor.incrementCounter': {
        ...seesAll('calls_total', ofMonitor),
        run: (context) => {
          context.monitor.incrementCounter('calls', nextLabels(context));
          return true;
        },
      },
    },
  }),
  defineSuite<Context>({
    name: 'monitor hot path: histogram with two labels',
    baseline: 'prom-client',
    gates: { 'PerformanceMonitor.histogram': 1 },
    setup,
    teardown,
    contenders: {
      'prom-client': {
        ...seesAll('wait_seconds_count', ofRegistry),
        run: (context) => {
          context.histogram.observe(nextLabels(context), (context.turn % 1000) / 1000);
          return true;
        },
      },
      'PerformanceMonitor.histogram': {
        ...seesAll('wait_seconds_count', ofMonitor),
        run: (context) => {
          context.monitor.histogram('wait', context.turn % 1000, nextLabels(context), { unit: 'ms' });
          return true;
        },
      },
    },
  }),
  defineSuite<Context>({
    name: 'monitor hot path: timer with two labels',
    baseline: 'prom-client observe',
    gates: { 'startTimer and endTimer': 1.5 },
    setup,
    teardown,
    contenders: {
      'prom-client observe': {
        ...seesAll('wait_seconds_count', ofRegistry),
        run: (context) => {
          context.histogram.observe(nextLabels(context), (context.turn % 1000) / 1000);
          return true;
        },
      },
      'startTimer and endTimer': {
        ...seesAll('wait_duration_seconds_count', ofMonitor),
        run: (context) => {
          context.monitor.endTimer(context.monitor.startTimer('wait', nextLabels(context)));
          return true;
        },
      },
    },
  }),
  defineSuite<Context>({
    name: 'monitor scrape of 1000 series',
    baseline: 'prom-client',
    gates: { 'PerformanceMonitor.getMetrics': 1.25 },
    setup: () => {
      const context = setup();
      for (let index = 0; index < 1000; index += 1) {
        const labels = { model: `m${index % 40}`, status: `s${Math.floor(index / 40)}` };
        context.counter.inc(labels);
        context.histogram.observe(labels, index / 1000);
        context.monitor.incrementCounter('calls', labels);
        context.monitor.histogram('wait', index, labels, { unit: 'ms' });
      }
      return context;
    },
    teardown,
    // As many lines from both, not only the same total: series that overflow into one would be cheaper.
    verify: (text) =>
      typeof text === 'string' &&
      total(text, 'calls_total') === 1000 &&
      linesOf(text, 'calls_total').length === 1000 &&
      linesOf(text, 'wait_seconds_bucket').length === 1000 * (BUCKETS_MS.length + 1),
    contenders: { 'prom-client': ofRegistry, 'PerformanceMonitor.getMetrics': ofMonitor },
  }),
];
