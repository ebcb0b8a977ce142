import { describe, expect, it } from 'vitest';
import { differences, reasonOf } from './differences.ts';

const journal = (calls: readonly { readonly source: string }[]) => ({ 'cache-1': { calls } });

describe('differences of two records', () => {
  it('are none between equal ones', () => {
    expect(differences(journal([{ source: 'memory' }]), journal([{ source: 'memory' }]))).toEqual([]);
  });

  it('name scenario, field and both values', () => {
    const found = differences(journal([{ source: 'memory' }]), journal([{ source: 'upstream' }]));
    expect(found).toEqual([{ scenario: 'cache-1', field: 'calls[0].source', before: 'memory', after: 'upstream' }]);
  });

  it('tell what is missing, also of an emptied list and a scenario that is gone', () => {
    expect(differences(journal([{ source: 'memory' }]), journal([]))).toEqual([
      { scenario: 'cache-1', field: 'calls[0].source', before: 'memory', after: undefined },
      { scenario: 'cache-1', field: 'calls', before: undefined, after: '[]' },
    ]);
    expect(differences(journal([]), {})).toHaveLength(1);
  });

  it('are accepted by whole names only', () => {
    const [difference] = differences(journal([{ source: 'a' }]), journal([{ source: 'b' }]));
    if (difference === undefined) throw new Error('no difference');
    const entry = (scenario: string, field: string) => [{ scenario, field, reason: 'wanted' }];
    expect(reasonOf(difference, entry('cache-\\d+', 'calls\\[\\d+\\]\\.source'))).toBe('wanted');
    expect(reasonOf(difference, entry('cache', 'calls\\[\\d+\\]\\.source'))).toBeUndefined();
    expect(reasonOf(difference, entry('cache-1', 'calls'))).toBeUndefined();
  });

  it('are accepted only with the value that is listed, where one is', () => {
    const counted = (waiting?: number) => ({
      'cache-1': { stats: { all: 1, ...(waiting === undefined ? {} : { waiting }) } },
    });
    const accepted = [{ scenario: '.*', field: 'stats\\.waiting', after: 0, reason: 'a new counter' }];
    const reasons = (before?: number, after?: number) =>
      differences(counted(before), counted(after)).map((difference) => reasonOf(difference, accepted));
    expect(reasons(undefined, 0)).toEqual(['a new counter']);
    expect(reasons(undefined, 1)).toEqual([undefined]);
    expect(reasons(0, undefined)).toEqual([undefined]);
  });

  it('are accepted as missing where null is listed', () => {
    const accepted = [{ scenario: '.*', field: 'calls\\[0\\]\\.source', after: null, reason: 'a call less' }];
    const [gone] = differences(journal([{ source: 'memory' }]), journal([]));
    const [other] = differences(journal([{ source: 'memory' }]), journal([{ source: 'upstream' }]));
    if (gone === undefined || other === undefined) throw new Error('no difference');
    expect(reasonOf(gone, accepted)).toBe('a call less');
    expect(reasonOf(other, accepted)).toBeUndefined();
  });
});
