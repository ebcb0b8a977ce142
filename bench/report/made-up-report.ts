import { mkdir, writeFile } from 'node:fs/promises';
import { entryOf } from './history.ts';
import { htmlReport } from './html/page.ts';
import { benchmarkOf, LOAD } from './report.fixture.ts';
import { joinReport } from './report-data.ts';

/**
 * Writes a report of made-up runs, in which every kind of chart and verdict appears: a real one may have no history, or
 * nothing that was missed.
 */
const REPORT = new URL('../results/report/', import.meta.url);
const SLOWDOWNS = [1, 1.1, 0.9, 1.4, 1, 0.7];

const runs = SLOWDOWNS.map((slowdown, index) =>
  benchmarkOf(`${index}`.repeat(16), `2026-0${index + 1}-01T00:00:00.000Z`, { slowdown, seed: index }),
);
const kept = runs.slice(0, -1).map((run) => entryOf(run, []));
const data = joinReport({
  madeAt: '2026-07-01T00:00:00.000Z',
  versions: { opossum: '9.0.0' },
  benchmarks: runs.slice(-1),
  load: LOAD,
  kept,
});
await mkdir(REPORT, { recursive: true });
await writeFile(new URL('made-up.html', REPORT), htmlReport(data));
