import { PerformanceMonitor } from '@describe-it/sdk/performance-monitor';
import { defineBench } from '../define-bench.ts';

const RECORDS = 100;
const SERIES = 200;
const MODELS = ['gpt-4.1', 'gpt-4.1-mini', 'gpt-4.1-nano', 'gpt-4o'] as const;
const LABELS = Array.from({ length: 64 }, (_, index) => ({
  model: MODELS[index % 4] ?? 'other',
  status: String(200 + (index % 5)),
}));

const linesOf = (text: unknown, name: string): readonly string[] =>
  typeof text === 'string' ? text.split('\n').filter((line) => line.startsWith(`${name}{`)) : [];

const totalOf = (text: string, name: string): number =>
  linesOf(text, name).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);

const setup = () => ({ monitor: new PerformanceMonitor({ prefix: '', maxSeries: 1_000 }), turn: 0, scrapes: 0 });
const teardown = ({ monitor }: ReturnType<typeof setup>) => monitor.close();

export const benches = [
  defineBench({
    name: 'performance monitor: counter and histogram',
    operations: RECORDS,
    setup,
    run: (context) => {
      for (let index = 0; index < RECORDS; index += 1) {
        context.turn += 1;
        const labels = LABELS[context.turn & 63] ?? { model: '', status: '' };
        context.monitor.incrementCounter('calls', labels);
        context.monitor.histogram('wait', context.turn % 1_000, labels, { unit: 'ms' });
      }
      return context.turn;
    },
    verify: (turn, context) => turn === context.turn && context.turn > 0,
    count: async ({ monitor }) => {
      const text = await monitor.getMetrics();
      const counted = totalOf(text, 'calls_total');
      const observed = totalOf(text, 'wait_seconds_count');
      if (counted !== observed) throw new Error(`${counted} counted, ${observed} observed`);
      return counted;
    },
    teardown,
  }),
  defineBench({
    name: `performance monitor: scrape of ${SERIES} series`,
    setup: () => {
      const context = setup();
      for (let index = 0; index < SERIES; index += 1) {
        context.monitor.incrementCounter('calls', { model: `m${index % 20}`, status: `s${Math.floor(index / 20)}` });
      }
      return context;
    },
    run: async (context) => {
      // A count that moves, so that an old text is no answer.
      context.monitor.incrementCounter('scrapes');
      context.scrapes += 1;
      return context.monitor.getMetrics();
    },
    verify: (text, { scrapes }) =>
      linesOf(text, 'calls_total').length === SERIES && String(text).includes(`scrapes_total ${scrapes}\n`),
    count: async ({ monitor }) => Number(/^scrapes_total (\d+)$/m.exec(await monitor.getMetrics())?.[1] ?? 0),
    teardown,
  }),
];
