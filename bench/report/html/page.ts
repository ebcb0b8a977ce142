import { type Machine, measuredSuites } from '../../harness/benchmark-report.ts';
import type { ReportData } from '../report-data.ts';
import { groupStandings, standingsOf } from '../standing.ts';
import { dateText } from '../words.ts';
import { changesSection, historySection, standingSections, suiteSection } from './bench-sections.ts';
import { escapeHtml } from './escape.ts';
import { loadSection } from './load-section.ts';
import { STYLE } from './style.ts';

/** The whole report as one file that loads nothing. */
export function htmlReport(data: ReportData): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Performance of @describe-it/sdk</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header><h1>Performance of @describe-it/sdk</h1>${aboutText(data)}</header>
<nav aria-label="Sections"><ul>
<li><a href="#loses">Where we lose</a></li><li><a href="#wins">Where we win</a></li><li><a href="#changes">What changed</a></li>
<li><a href="#history">Over time</a></li><li><a href="#load">Load tests</a></li><li><a href="#suites">Every suite</a></li>
</ul></nav>
<main id="main" tabindex="-1">
<h2>At a glance</h2>
${tiles(data)}
${standingSections(data)}
${changesSection(data)}
${historySection(data)}
${loadSection(data)}
${suiteSection(data)}
</main>
<footer><p>Made by <code>npm run perf:report</code>.</p>${versionsText(data)}</footer>
</body>
</html>
`;
}

function aboutText({ benchmark, madeAt }: ReportData): string {
  if (benchmark === undefined) return `<p class="muted">Made on ${dateText(madeAt)}.</p>`;
  const { startedAt, commit, machine, asked, complete } = benchmark;
  const at = commit === undefined ? '' : ` at commit <code>${escapeHtml(commit.slice(0, 12))}</code>`;
  const partial = !complete || asked.quick || asked.grep !== null;
  return `<p class="muted">Benches of ${dateText(startedAt)}${at}, on Node ${machine.node} with ${machine.cores} cores of ${escapeHtml(machine.cpu ?? 'an unknown processor')}.</p>
${partial ? `<p class="note">These are ${asked.quick ? 'quick benches, which prove only that they run' : 'not all benches'}.</p>` : ''}${busyText(machine)}`;
}

const busyText = ({ loadAtStart, cores }: Machine) =>
  loadAtStart > cores / 2
    ? `<p class="note">The machine was busy: the load average was ${loadAtStart} on ${cores} cores. Trust CPU time and allocations before time.</p>`
    : '';

function tiles(data: ReportData): string {
  const tile = (figure: number | string, text: string) => `<li><b>${figure}</b>${text}</li>`;
  const { benchmark, load } = data;
  const items: string[] = [];
  if (benchmark !== undefined) {
    const { losing, winning, even } = groupStandings(standingsOf(benchmark));
    const judged = measuredSuites(benchmark);
    const gates = judged.flatMap(({ contenders }) => contenders.flatMap((contender) => contender.gates));
    const failedGates = gates.filter(({ verdict }) => verdict === 'failed').length;
    items.push(
      tile(losing.length, 'comparisons lose time, CPU or memory'),
      tile(winning.length, 'comparisons win, and lose nothing'),
      tile(even.length, 'without a difference'),
      tile(`${failedGates}/${gates.length}`, 'gates failed'),
      ...(judged.length < benchmark.suites.length
        ? [tile(benchmark.suites.length - judged.length, 'suites could not be measured')]
        : []),
    );
  }
  if (load.length > 0) {
    const kept = load.filter(({ status }) => status === 'passed').length;
    items.push(tile(`${kept}/${load.length}`, 'load tests passed'));
  }
  return items.length === 0 ? '<p>Nothing was run.</p>' : `<ul class="tiles">${items.join('')}</ul>`;
}

const versionsText = ({ versions }: ReportData): string => {
  const all = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return all.length === 0 ? '' : `<p>Versions: ${escapeHtml(all.join(', '))}.</p>`;
};
