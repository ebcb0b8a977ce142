import { expect, it } from 'vitest';
import { Distribution } from './distribution.ts';

it('tells quantiles to within 5 % over a wide range', () => {
  const distribution = new Distribution();
  const values = Array.from({ length: 5_000 }, (_, index) => 1.0023 ** index);
  for (const value of values.toReversed()) distribution.record(value);
  const { p50, p90, p99, min, max, count } = distribution.snapshot();
  for (const [share, quantile] of [
    [0.5, p50],
    [0.9, p90],
    [0.99, p99],
  ] as const) {
    const exact = values[Math.ceil(share * values.length) - 1] ?? 0;
    expect(Math.abs(quantile / exact - 1)).toBeLessThan(0.05);
  }
  expect([min, max, count]).toEqual([values[0], values.at(-1), values.length]);
});

it('is all zeros while it is empty, and takes values below and above its buckets', () => {
  expect(new Distribution().snapshot()).toEqual({
    count: 0,
    sum: 0,
    min: 0,
    max: 0,
    mean: 0,
    p50: 0,
    p90: 0,
    p99: 0,
  });
  const distribution = new Distribution();
  for (const value of [-1, 0, 1e15]) distribution.record(value);
  expect(distribution.snapshot()).toMatchObject({ count: 3, min: 0, max: 1e15, p50: 0 });
});
