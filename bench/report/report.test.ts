import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LoadReport } from '../load/load-report.ts';
import { benchmarksText } from './benchmarks-page.ts';
import { entryOf, keepEntry, readHistory } from './history.ts';
import { htmlReport } from './html/page.ts';
import { logScale, placeOf } from './html/svg-charts.ts';
import { lastOfEach } from './load-results.ts';
import { markdownReport } from './markdown-report.ts';
import { benchmarkOf, LOAD } from './report.fixture.ts';
import { joinReport } from './report-data.ts';
import { groupStandings, standingsOf } from './standing.ts';

const OLD = benchmarkOf('1111111111111111', '2026-01-01T00:00:00.000Z');
const NEW = benchmarkOf('2222222222222222', '2026-02-01T00:00:00.000Z', { slowdown: 2, seed: 2 });
const versions = { opossum: '9.0.0' };
const madeAt = '2026-02-02T00:00:00.000Z';

const dataOf = (kept = [entryOf(OLD, [])], benchmarks = [NEW]) =>
  joinReport({ madeAt, versions, benchmarks, load: LOAD, kept });

describe('standings', () => {
  it('tell where this package loses, wins, and where nothing was seen', () => {
    const { losing, winning, even } = groupStandings(standingsOf(OLD));
    expect(losing.map(({ suite, loses }) => [suite, loses])).toEqual([
      ['a part that loses <b>a lot</b> & says so', ['time', 'cpu', 'allocations']],
    ]);
    expect(winning.map(({ suite }) => suite)).toEqual(['a part that wins']);
    expect(even.map(({ suite }) => suite)).toEqual(['a part that is as good']);
  });
});

describe('the page of benchmarks', () => {
  it('begins with where we lose, in bold, and says what was left out and where it was measured', () => {
    const text = benchmarksText(OLD, versions);
    expect(text.indexOf('## Where we lose')).toBe(0);
    expect(text).toMatch(/says so \| ours \| peer's own way \| \*\*3\.\d\d \(2\.\d\d–3\.\d\d\)\*\*/);
    expect(text).toContain('- Hare: not installed.');
    expect(text).toContain('2 cores of a processor');
    expect(text).toContain('opossum 9.0.0');
    expect(text).not.toContain('The machine was busy');
  });

  it('says that a busy machine makes times uncertain', () => {
    const busy = { ...OLD, machine: { ...OLD.machine, loadAtStart: 9 } };
    expect(benchmarksText(busy, versions)).toContain('The machine was busy with other work');
  });

  it('names suites that failed', () => {
    const failed = { ...OLD, suites: [{ file: 'x.bench.ts', name: 'broken', error: 'no server\nstack' }] };
    expect(benchmarksText(failed, versions)).toContain('- broken: no server\n');
  });
});

describe('what changed', () => {
  it('is told where intervals lie apart, and only there', () => {
    expect(dataOf().changes).toMatchObject({
      changes: [{ kind: 'worse' }, { kind: 'worse' }, { kind: 'worse' }],
      unchanged: 0,
    });
    const same = dataOf([entryOf({ ...NEW, commit: '3', startedAt: OLD.startedAt }, [])]);
    expect(same.changes).toMatchObject({ changes: [], unchanged: 3 });
  });

  it('names benches that are new or gone', () => {
    const { benches, ...rest } = entryOf(OLD, []);
    const renamed = benches.map((bench) => ({ ...bench, suite: `old ${bench.suite}` }));
    const kinds = dataOf([{ ...rest, benches: renamed }]).changes?.changes.map(({ kind }) => kind);
    expect(kinds?.toSorted()).toEqual(['gone', 'gone', 'gone', 'new', 'new', 'new']);
  });

  it('is not told of a quick run, which proves nothing', () => {
    const quick = { ...NEW, asked: { ...NEW.asked, quick: true } };
    expect(dataOf(undefined, [quick]).history.map(({ commit }) => commit)).toEqual([OLD.commit]);
  });
});

describe('the HTML', () => {
  const html = htmlReport(dataOf());

  it('loads nothing, and runs no script', () => {
    expect(html).not.toMatch(/<script|<link[^>]+href="(?!data:)|<img|url\(|@import|https?:/);
  });

  it('has a chart for each comparison, each bench over time and each threshold', () => {
    const inSection = (id: string, next: string) =>
      html.slice(html.indexOf(`id="${id}"`), html.indexOf(`id="${next}"`));
    const dots = (text: string) => text.match(/<circle class="dot (less|more|open)"/g)?.length;
    expect(dots(inSection('loses', 'changes'))).toBe(3);
    expect(dots(inSection('history', 'load'))).toBe(6);
    expect(inSection('load', 'suites').match(/class="limit"/g)).toHaveLength(2);
  });

  it('escapes names', () => {
    expect(html).not.toContain('<b>a lot</b>');
    expect(html).toContain('&lt;b&gt;a lot&lt;/b&gt; &amp; says so');
    expect(html).toContain('there is no &lt;redis-server&gt;');
  });

  it('says what is missing where nothing was run', () => {
    const empty = htmlReport(joinReport({ madeAt, versions: {}, benchmarks: [], load: [], kept: [] }));
    for (const command of ['perf:benchmark', 'perf:test', 'perf:report']) expect(empty).toContain(`npm run ${command}`);
    expect(empty).not.toContain('<svg');
    expect(empty).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('shows no number that is none', () => {
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('the Markdown', () => {
  it('has the benches, the changes and the load tests', () => {
    const text = markdownReport(dataOf());
    expect(text).toContain('| concurrency ramp | full | maxP99Ms | 2400 ms | 1000 ms | **missed** |');
    expect(text).toContain('From `1111111` to `2222222`: 0 benches show no change.');
    expect(text).toContain('## Where we lose');
  });
});

describe('lastOfEach', () => {
  it('takes the last run of each test, and none of another wiring', () => {
    const report = (startedAt: string, status: 'passed' | 'missed', wiring: 'sdk' | 'stock' = 'sdk'): LoadReport => ({
      version: 1,
      kind: 'load',
      startedAt,
      machine: { node: 'v24', cpu: 'x', cores: 2 },
      wiring,
      tests: [{ name: 'streams', status }],
    });
    const last = lastOfEach([
      report('2026-02', 'passed'),
      report('2026-01', 'missed'),
      report('2026-03', 'missed', 'stock'),
    ]);
    expect(last).toEqual([{ name: 'streams', status: 'passed', startedAt: '2026-02' }]);
  });
});

describe('history', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'history-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('keeps one small file a commit, and reads them in the order of time', async () => {
    const url = pathToFileURL(`${folder}/`);
    const [later, earlier] = [entryOf(NEW, LOAD), entryOf(OLD, [])];
    expect(await keepEntry(url, later)).toBe('2026-02-01-222222222222.json');
    await keepEntry(url, later);
    await keepEntry(url, earlier);
    expect(await readHistory(url)).toEqual([earlier, later]);
  });
});

describe('a logarithmic scale', () => {
  it('has at least two ticks, all within it, whatever the values', () => {
    for (const values of [
      [1, 1],
      [0.98, 1.02],
      [0.001, 200],
      [1e-7, 1e7],
      [0.3, 0.31, 3],
    ]) {
      const scale = logScale(values);
      expect(scale.ticks.length, String(values)).toBeGreaterThanOrEqual(2);
      expect(scale.ticks.length, String(values)).toBeLessThanOrEqual(8);
      for (const value of [...values, ...scale.ticks]) {
        expect(placeOf(value, scale)).toBeGreaterThanOrEqual(5);
        expect(placeOf(value, scale)).toBeLessThanOrEqual(95);
      }
    }
  });
});
