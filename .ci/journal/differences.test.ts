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
});
