import { describe, expect, it } from 'vitest';
import { formatReport, formatValue } from './format-report.ts';
import { defineSuite } from './suite.ts';
import { reportSuite } from './suite-report.ts';

const suite = defineSuite({
  name: 'made up',
  baseline: 'base',
  contenders: { base: () => 1, ours: () => 1 },
  gates: { ours: { maxRatio: 1.2, maxCpuRatio: 3 } },
});

const slices = (...values: readonly number[]) =>
  values.map((value) => ({ value, p99: value * 2, cpuMs: value, allocatedBytes: 8 * value, operations: 10 }));

const judged = (...ours: readonly number[]) =>
  reportSuite(
    suite,
    new Map([
      ['base', slices(1, 1, 1, 1, 1)],
      ['ours', slices(...ours)],
    ]),
  );

describe('reportSuite', () => {
  it('passes a gate that the ratio keeps', () => {
    const report = judged(1.1, 1.1, 1.1, 1.1, 1.1);
    expect(report.passed).toBe(true);
    expect(report.contenders[1]).toMatchObject({
      median: 1.1,
      p99: 2.2,
      operations: 50,
      gates: [
        { measure: 'time', versus: 'base', maxRatio: 1.2, verdict: 'passed' },
        { measure: 'cpu', versus: 'base', maxRatio: 3, verdict: 'passed' },
      ],
    });
  });

  it('fails a gate only when the whole interval lies above it', () => {
    expect(judged(1.3, 1.3, 1.3, 1.3, 1.3).passed).toBe(false);
    const uncertain = judged(1, 1, 1.3, 1.4, 1.4);
    expect(uncertain.passed).toBe(true);
    expect(uncertain.contenders[1]?.gates[0]?.verdict).toBe('unproven');
  });

  it('gates one contender against several others', () => {
    const several = defineSuite({
      name: 'several',
      baseline: 'base',
      contenders: { base: () => 1, other: () => 1, ours: () => 1 },
      gates: { ours: [{ maxRatio: 0.5 }, { versus: 'other', maxRatio: 0.3, maxCpuRatio: 0.1 }] },
    });
    const measurements = new Map([
      ['base', slices(1, 1, 1)],
      ['other', slices(2, 2, 2)],
      ['ours', slices(0.5, 0.5, 0.5)],
    ]);
    expect(reportSuite(several, measurements).contenders[2]?.gates).toMatchObject([
      { versus: 'base', verdict: 'passed', ratio: { value: 0.5 } },
      { versus: 'other', measure: 'time', verdict: 'passed', ratio: { value: 0.25 } },
      { versus: 'other', measure: 'cpu', verdict: 'failed', ratio: { value: 0.25 } },
    ]);
  });

  it('compares each of ours with each peer, floors and growth aside', () => {
    const contenders = { base: () => 1, floor: () => 1, ours: () => 1 };
    const definition = { name: 'peers', baseline: 'base', contenders, ours: ['ours'], floors: ['floor'] };
    const measurements = new Map([
      ['base', slices(1, 1, 1)],
      ['floor', slices(0.1, 0.1, 0.1)],
      ['ours', slices(2, 2, 2)],
    ]);
    const ratio = { value: 2, lower: 2, upper: 2 };
    expect(reportSuite(defineSuite(definition), measurements).comparisons).toEqual([
      { ours: 'ours', peer: 'base', time: ratio, cpu: ratio, allocations: ratio },
    ]);
    const growth = defineSuite({ ...definition, kind: 'growth' });
    expect(reportSuite(growth, measurements).comparisons).toEqual([]);
  });

  it('refuses a gate on CPU time that nobody measured', () => {
    const sampled = (...values: readonly number[]) => values.map((value) => ({ value, operations: 1 }));
    const measurements = new Map([
      ['base', sampled(1, 1)],
      ['ours', sampled(1, 1)],
    ]);
    expect(() => reportSuite(suite, measurements)).toThrow('ours: there is a gate on cpu');
  });

  it('says in words which gate failed and by how much', () => {
    const text = formatReport(judged(2, 2, 2, 2, 2));
    expect(text).toContain('GATE FAILED   ours: time ratio to base 2.00, at least 2.00, allowed 1.2');
    expect(text).toContain('base (baseline)');
    expect(text).toContain('baseline spread 0.0 %');
  });

  it('says when the machine was too noisy to trust', () => {
    const report = reportSuite(
      suite,
      new Map([
        ['base', slices(1, 2, 3, 4, 5)],
        ['ours', slices(1, 2, 3, 4, 5)],
      ]),
    );
    expect(formatReport(report)).toContain('noisy machine');
  });
});

describe('formatValue', () => {
  it('picks the unit that reads best', () => {
    expect(formatValue(0.0000123, 'ms')).toBe('12.3 ns');
    expect(formatValue(0.0123, 'ms')).toBe('12.3 µs');
    expect(formatValue(12.3, 'ms')).toBe('12.3 ms');
    expect(formatValue(12_300, 'ms')).toBe('12.3 s');
    expect(formatValue(3, 'requests')).toBe('3.000 requests');
  });
});
