import { describe, expect, it } from 'vitest';
import { FaultFinder, type RunTests } from './fault-finder.ts';

/** Runs of tests that fail as told: with the fault, without it, or in their first run alone. */
function tests(fails: Readonly<Record<string, 'with the fault' | 'always' | 'once'>>) {
  const runs: string[] = [];
  const seen = new Set<string>();
  const run: RunTests = (files, isPlanted) => {
    runs.push(`${files.join(' ')}${isPlanted ? '' : ' clean'}`);
    const failed = files.find((file) => {
      const isFirst = !seen.has(file);
      seen.add(file);
      const how = fails[file];
      return how === 'always' || (how === 'once' && isFirst) || (how === 'with the fault' && isPlanted);
    });
    return failed === undefined ? undefined : `${failed}: a test`;
  };
  return { run, runs };
}

describe('a fault', () => {
  it('is noticed by a test that fails twice with it, and never without it', async () => {
    const { run, runs } = tests({ b: 'with the fault' });
    expect(await new FaultFinder().noticedBy(['a', 'b'], run)).toBe('b: a test');
    expect(runs).toEqual(['a b', 'b', 'b clean']);
  });

  it('is noticed by none when all pass', async () => {
    const { run, runs } = tests({});
    expect(await new FaultFinder().noticedBy(['a', 'b'], run)).toBeUndefined();
    expect(runs).toEqual(['a b']);
  });

  it('is not noticed by a test that fails anyway, which is left out from then on', async () => {
    const { run, runs } = tests({ a: 'always', b: 'with the fault' });
    const finder = new FaultFinder();
    expect(await finder.noticedBy(['a', 'b'], run)).toBe('b: a test');
    expect(finder.leftOut).toEqual(['a']);
    runs.length = 0;
    expect(await finder.noticedBy(['a'], run)).toBeUndefined();
    expect(runs).toEqual([]);
  });

  it('is not noticed by a test that fails once, which stays in for the next fault', async () => {
    const { run, runs } = tests({ a: 'once' });
    const finder = new FaultFinder();
    expect(await finder.noticedBy(['a', 'b'], run)).toBeUndefined();
    expect(runs).toEqual(['a b', 'a', 'b']);
    expect(finder.leftOut).toEqual([]);
    expect(await finder.noticedBy(['a'], tests({ a: 'with the fault' }).run)).toBe('a: a test');
  });

  it('is noticed where the run does not end, for no file can be blamed', async () => {
    expect(await new FaultFinder().noticedBy(['a'], () => 'the run did not end')).toBe('the run did not end');
  });

  it('is still noticed by a test that fails with it once more, and passes without it', async () => {
    const { run, runs } = tests({ 'a: one': 'with the fault', 'a: two': 'always' });
    const finder = new FaultFinder();
    expect(await finder.stillNotices('a: one', run)).toBe(true);
    expect(await finder.stillNotices('a: two', run)).toBe(false);
    expect(await finder.stillNotices('a: three', run)).toBe(false);
    expect(runs).toEqual(['a: one', 'a: one clean', 'a: two', 'a: two clean', 'a: three']);
  });

  it('costs one clean run a file, however many faults it notices', async () => {
    const { run, runs } = tests({ a: 'with the fault' });
    const finder = new FaultFinder();
    await finder.noticedBy(['a'], run);
    await finder.noticedBy(['a'], run);
    expect(runs).toEqual(['a', 'a', 'a clean', 'a', 'a']);
  });
});
