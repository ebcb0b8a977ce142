import { readFile, writeFile } from 'node:fs/promises';
import { type BenchmarkReport, isFailed, type MeasuredSuite, measuredSuites } from '../harness/benchmark-report.ts';
import { packageVersions } from './package-versions.ts';
import { groupStandings, leftOutOf, type Measure, type Standing, standingsOf } from './standing.ts';
import { tableOf } from './table.ts';
import { CONTENDER_HEAD, contenderCells, dateText, ratioText } from './words.ts';

const PAGE = new URL('../../docs/benchmarks.md', import.meta.url);
const MARKED = /(<!-- benchmarks -->\n)[\s\S]*?(\n<!-- \/benchmarks -->)/;

/** Puts a whole run into `docs/benchmarks.md`. A quick run, or one of some suites, leaves the page as it is. */
export async function writeBenchmarksPage(report: BenchmarkReport): Promise<void> {
  const { grep, quick } = report.asked;
  if (quick || grep !== null) {
    console.log('docs/benchmarks.md stays as it is: only a run of all suites, without --quick and --grep, writes it');
    return;
  }
  const before = await readFile(PAGE, 'utf8');
  if (!MARKED.test(before)) throw new Error('docs/benchmarks.md has no marks for benchmarks');
  const text = benchmarksText(report, packageVersions());
  await writeFile(
    PAGE,
    before.replace(MARKED, (_, start: string, end: string) => `${start}\n${text}\n${end}`),
  );
  console.log('docs/benchmarks.md is written');
}

/** The part of the page between its marks. */
export function benchmarksText(report: BenchmarkReport, versions: Readonly<Record<string, string>>): string {
  const { losing, winning, even } = groupStandings(standingsOf(report));
  const suites = measuredSuites(report);
  const failed = report.suites.filter(isFailed);
  return [
    '## Where we lose',
    'Each row has at least one measure in bold, of which this package surely needs more than the peer.',
    standingTable(losing),
    '## Where we win',
    standingTable(winning),
    '## No difference seen',
    standingTable(even),
    '## Left out',
    leftOutOf(report)
      .map(([peer, reason]) => `- ${peer}: ${reason}.`)
      .join('\n') || 'No peer was left out.',
    ...(failed.length === 0
      ? []
      : ['## Failed', failed.map(({ name, error }) => `- ${name}: ${firstLine(error)}`).join('\n')]),
    '## Machine and versions',
    machineText(report, versions),
    '## Every suite',
    ...suites.map(suiteText),
  ].join('\n\n');
}

const firstLine = (text: string) => text.split('\n')[0] ?? '';

function standingTable(standings: readonly Standing[]): string {
  if (standings.length === 0) return 'None.';
  const measure = (standing: Standing, name: Measure) => {
    const ratio = standing[name];
    if (ratio === undefined) return '–';
    return standing.loses.includes(name) ? `**${ratioText(ratio)}**` : ratioText(ratio);
  };
  return tableOf(
    ['suite', 'ours', 'peer', 'time', 'CPU time', 'allocations'],
    standings.map((standing) => [
      standing.suite,
      standing.ours,
      standing.peer,
      measure(standing, 'time'),
      measure(standing, 'cpu'),
      measure(standing, 'allocations'),
    ]),
  );
}

function machineText(
  { machine, startedAt, commit, complete }: BenchmarkReport,
  versions: Readonly<Record<string, string>>,
) {
  const { node, cpu, cores, loadAtStart } = machine;
  const busy =
    loadAtStart > cores / 2
      ? ' **The machine was busy with other work: trust CPU time and allocations before time.**'
      : '';
  const stopped = complete ? '' : ' The run was stopped before its end: the suites after the last one are missing.';
  return [
    `Measured on ${dateText(startedAt)}${commit === undefined ? '' : ` at commit ${commit.slice(0, 12)}`}, on Node ` +
      `${node}, with ${cores} cores of ${cpu ?? 'an unknown processor'}. The load average was ${loadAtStart} at the ` +
      `start.${busy}${stopped}`,
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
  ].join('\n\n');
}

function suiteText(suite: MeasuredSuite): string {
  const noise = `${suite.rounds} rounds; the baseline varied by ${(suite.noiseRatio * 100).toFixed(1)} %.`;
  const gates = suite.contenders.flatMap(({ name, gates: judged }) =>
    judged.map(
      ({ measure, versus, maxRatio, ratio, verdict }) =>
        `- Gate ${verdict}: ${name}, ${measure} to ${versus} ${ratioText(ratio)}, allowed ${Number(maxRatio.toPrecision(3))}.`,
    ),
  );
  return [
    `### ${suite.name}`,
    noise,
    tableOf(
      CONTENDER_HEAD,
      suite.contenders.map((contender) => contenderCells(contender, suite)),
    ),
    ...(gates.length === 0 ? [] : [gates.join('\n')]),
  ].join('\n\n');
}
