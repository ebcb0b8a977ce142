import { expect, it } from 'vitest';
import { PeakEwma } from './endpoint-health.ts';

it('knows nothing before the first outcome', () => {
  expect(new PeakEwma().valueMs(0, true)).toBeUndefined();
});

it('jumps to a peak at once and forgets it by time', () => {
  const latency = new PeakEwma();
  latency.observe(100, 0);
  latency.observe(900, 1);
  expect(latency.valueMs(1, false)).toBe(900);
  latency.observe(100, 1);
  expect(latency.valueMs(1, false)).toBe(900);
  latency.observe(100, 10_001);
  expect(latency.valueMs(10_001, false)).toBeCloseTo(100 + 800 / Math.E);
});

it('fades while idle, and only then', () => {
  const latency = new PeakEwma();
  latency.observe(1_000, 0);
  expect(latency.valueMs(10_000, true)).toBeCloseTo(1_000 / Math.E);
  expect(latency.valueMs(10_000, false)).toBe(1_000);
});

it('takes a failure for twice what is known, within a second and a minute, or for what it took', () => {
  const afterFailure = (knownMs: number | undefined, elapsedMs: number) => {
    const latency = new PeakEwma();
    if (knownMs !== undefined) latency.observe(knownMs, 0);
    latency.failed(elapsedMs, 0);
    return latency.valueMs(0, false);
  };
  expect(afterFailure(undefined, 5)).toBe(1_000);
  expect(afterFailure(3_000, 5)).toBe(6_000);
  expect(afterFailure(50_000, 5)).toBe(60_000);
  expect(afterFailure(100, 90_000)).toBe(90_000);
});
