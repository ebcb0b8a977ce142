import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { PerformanceMonitor } from './index.ts';
import { parseExposition } from './strict-exposition-parser.ts';

const MAX_SERIES = 3;
const BUCKETS = [1, 10, 100];

/** What a scrape must show, kept the plain way: a map from written-out labels to every value recorded. */
class NaiveModel {
  readonly series = new Map<string, number[]>();

  record(labels: Readonly<Record<string, string>>, value: number): void {
    const write = (from: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(from).sort());
    let key = write(labels);
    if (!this.series.has(key) && this.series.size >= MAX_SERIES) {
      key = write(Object.fromEntries(Object.keys(labels).map((name) => [name, 'other'])));
    }
    this.series.set(key, [...(this.series.get(key) ?? []), value]);
  }
}

const key = ({ le: _, ...labels }: Readonly<Record<string, string>>) =>
  JSON.stringify(Object.entries(labels).sort());
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

const text = fc.oneof(fc.constantFrom('a', 'b', 'c', 'other'), fc.string({ maxLength: 8 }));
const step = fc.record({
  kind: fc.constantFrom('counter' as const, 'histogram' as const, 'gauge' as const),
  labels: fc.record({ model: text, zone: text }),
  value: fc.integer({ min: 0, max: 1000 }),
  advanceMs: fc.integer({ min: 0, max: 2000 }),
});

describe('PerformanceMonitor against a naive model', () => {
  it('shows exactly what was recorded', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = new ManualClock();
        using monitor = new PerformanceMonitor({ clock, prefix: '', maxSeries: MAX_SERIES, windowMs: 1000 });
        const models = { counter: new NaiveModel(), histogram: new NaiveModel(), gauge: new NaiveModel() };
        for (const { kind, labels, value, advanceMs } of steps) {
          if (advanceMs > 1000) await clock.advance(advanceMs);
          if (kind === 'counter') monitor.incrementCounter('calls', labels, value);
          else if (kind === 'gauge') monitor.gauge('depth', value, labels);
          else monitor.histogram('size', value, labels, { buckets: BUCKETS });
          models[kind].record(labels, value);
        }
        const families = parseExposition(await monitor.getMetrics());
        const shown = (family: string, line: string, le?: string) =>
          new Map(
            (families.get(family)?.samples ?? [])
              .filter(({ name, labels }) => name === line && labels['le'] === le)
              .map(({ labels, value }) => [key(labels), value]),
          );
        const expected = ({ series }: NaiveModel, of: (values: readonly number[]) => number) =>
          new Map([...series].map(([labels, values]) => [labels, of(values)]));

        expect(shown('calls_total', 'calls_total')).toEqual(expected(models.counter, sum));
        expect(shown('depth', 'depth')).toEqual(expected(models.gauge, (values) => values.at(-1) ?? 0));
        expect(shown('size', 'size_sum')).toEqual(expected(models.histogram, sum));
        expect(shown('size', 'size_count')).toEqual(expected(models.histogram, (values) => values.length));
        for (const bound of BUCKETS) {
          const below = (values: readonly number[]) => values.filter((value) => value <= bound).length;
          expect(shown('size', 'size_bucket', String(bound))).toEqual(expected(models.histogram, below));
        }
      }),
      { seed: 20_261_122, numRuns: 150 },
    );
  });
});
