import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { PerformanceMonitor } from './index.ts';
import { parseExposition } from './strict-exposition-parser.fixture.ts';

const MAX_SERIES = 3;
const BUCKETS = [1, 10, 100];

/** The expected scrape, computed in a simple way: a map from written-out labels to every recorded value. */
class NaiveModel {
  readonly series = new Map<string, number[]>();
  readonly #names = new Set<string>();
  #overflow: string | undefined;

  record(labels: Readonly<Record<string, string>>, value: number): void {
    for (const name of Object.keys(labels)) this.#names.add(name);
    let found = key(labels);
    if (!this.series.has(found) && this.series.size >= MAX_SERIES && this.#names.size > 0) {
      this.#overflow ??= key(Object.fromEntries([...this.#names].map((name) => [name, 'other'])));
      found = this.#overflow;
    }
    this.series.set(found, [...(this.series.get(found) ?? []), value]);
  }
}

/** An empty label is a missing label. */
const key = ({ le: _, ...labels }: Readonly<Record<string, string>>) =>
  JSON.stringify(
    Object.entries(labels)
      .filter(([, value]) => value !== '')
      .sort(),
  );
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

const text = fc.oneof(fc.constantFrom('a', 'b', 'c', 'other'), fc.string({ maxLength: 8 }));
const step = fc.record({
  kind: fc.constantFrom('counter' as const, 'histogram' as const, 'gauge' as const),
  labels: fc.record({ model: text, zone: text }, { requiredKeys: [] }),
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
