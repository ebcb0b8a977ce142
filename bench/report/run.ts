import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readResults } from '../harness/results-folder.ts';
import { entryOf, keepEntry, readHistory } from './history.ts';
import { htmlReport } from './html/page.ts';
import { readLoadResults } from './load-results.ts';
import { markdownReport } from './markdown-report.ts';
import { packageVersions } from './package-versions.ts';
import { isForHistory, joinReport } from './report-data.ts';

const USAGE = `npm run perf:report -- [--keep]
  Writes bench/results/report/report.md and report.html, from the last runs in bench/results/ and from bench/history/.
  --keep  also keeps the last whole run in bench/history/, one file a commit`;

const RESULTS = new URL('../results/', import.meta.url);
const REPORT = new URL('./report/', RESULTS);
const HISTORY = new URL('../history/', import.meta.url);

function parseKeep(): boolean | undefined {
  try {
    return parseArgs({ options: { keep: { type: 'boolean', default: false } } }).values.keep;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return undefined;
  }
}

async function makeReport(keep: boolean): Promise<0 | 1> {
  const [benchmarks, load, kept] = await Promise.all([
    readResults(RESULTS),
    readLoadResults(RESULTS),
    readHistory(HISTORY),
  ]);
  const data = joinReport({
    madeAt: new Date().toISOString(),
    versions: packageVersions(),
    benchmarks,
    load,
    kept,
  });
  await mkdir(REPORT, { recursive: true });
  await writeFile(new URL('report.md', REPORT), markdownReport(data));
  await writeFile(new URL('report.html', REPORT), htmlReport(data));
  console.log('bench/results/report/report.md and bench/results/report/report.html are written');
  if (!keep) return 0;
  if (data.benchmark === undefined || !isForHistory(data.benchmark)) {
    console.error('nothing is kept: the last run must be one of all suites, without --quick and --grep, to its end');
    return 1;
  }
  console.log(`bench/history/${await keepEntry(HISTORY, entryOf(data.benchmark, load))} is written`);
  return 0;
}

const keep = parseKeep();
process.exitCode = keep === undefined ? 2 : await makeReport(keep);
