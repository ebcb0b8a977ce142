import { isFailed } from '../../harness/benchmark-report.ts';
import { formatRatio } from '../../harness/format-report.ts';
import type { SuiteReport } from '../../harness/suite-report.ts';
import type { Change } from '../changes.ts';
import { benchKey, type HistoryEntry, type KeptBench, ratioOf } from '../history.ts';
import type { ReportData } from '../report-data.ts';
import { groupStandings, leftOutOf, MEASURES, type Standing, standingsOf, verdictOf } from '../standing.ts';
import { CONTENDER_HEAD, contenderCells, dateText, MEASURE_NAMES, meaningOf, ratioText } from '../words.ts';
import { escapeHtml } from './escape.ts';
import { axisRow, historyChart, intervalRow, type LogScale, logScale } from './svg-charts.ts';

const WORDS = { less: 'wins', open: 'even', more: 'loses' } as const;

const tickText = (tick: number) => formatRatio(tick).replace(/\.?0+$/, '');

/** Where this package loses, wins, and where nothing was seen. */
export function standingSections(data: ReportData): string {
  if (data.benchmark === undefined)
    return '<h2 id="loses">Benches</h2><p class="note">No bench was run: <code>npm run perf:benchmark</code>.</p>';
  const { losing, winning, even } = groupStandings(standingsOf(data.benchmark));
  const all = [...losing, ...winning, ...even].flatMap(({ time }) => [time.lower, time.upper]);
  const scale = logScale(all, { always: [1] });
  const legend =
    '<p>A ratio is ours over the peer’s time: below 1, this package needs less. The line is a 95 % interval, the dashed line is 1.</p>';
  const left = leftOutOf(data.benchmark).map(([peer, reason]) => `<li>${escapeHtml(`${peer}: ${reason}.`)}</li>`);
  return [
    `<h2 id="loses">Where we lose</h2>${legend}`,
    standingRows(losing, scale),
    '<h2 id="wins">Where we win</h2>',
    standingRows(winning, scale),
    '<h2 id="even">No difference seen</h2>',
    standingRows(even, scale),
    left.length === 0 ? '' : `<h2>Left out</h2><ul>${left.join('')}</ul>`,
  ].join('\n');
}

function standingRows(standings: readonly Standing[], scale: LogScale): string {
  if (standings.length === 0) return '<p>None.</p>';
  const axis = `<div class="axis" aria-hidden="true"><span></span>${axisRow(scale, tickText)}<span></span></div>`;
  return `${axis}<ul class="rows">${standings.map((standing) => standingRow(standing, scale)).join('\n')}</ul>`;
}

function standingRow(standing: Standing, scale: LogScale): string {
  const { suite, ours, peer, time, loses } = standing;
  const verdict = verdictOf(time);
  const others = MEASURES.filter((measure) => measure !== 'time').flatMap((measure) => {
    const ratio = standing[measure];
    if (ratio === undefined) return [];
    const worse = loses.includes(measure) ? ` <span class="badge more">loses</span>` : '';
    return [`<small>${MEASURE_NAMES[measure]} ${ratioText(ratio)}${worse}</small>`];
  });
  return `<li><span class="name">${escapeHtml(suite)}<small>${escapeHtml(`${ours} beside ${peer}`)}</small></span>
${intervalRow(time, scale)}
<span class="figure"><span class="badge ${verdict}">${WORDS[verdict]}</span> time ${ratioText(time)}<br>${others.join('<br>')}</span></li>`;
}

/** One small chart for each bench over all runs. */
export function historySection({ history }: ReportData): string {
  const head = '<h2 id="history">Over time</h2>';
  if (history.length < 2) {
    const kept = history.length === 1 ? 'One run is kept' : 'No run is kept';
    return `${head}<p class="note">${kept}; a chart needs two. <code>npm run perf:report -- --keep</code> keeps the last one.</p>`;
  }
  const first = history[0];
  const last = history.at(-1);
  const span =
    first && last
      ? `<p>${history.length} runs, from ${runText(first)} to ${runText(last)}. Each point is the time of ours over the peer’s, with its 95 % interval.</p>`
      : '';
  const charts = (last?.benches ?? []).flatMap((bench) => historyItem(bench, history));
  return `${head}${span}<ul class="multiples">${charts.join('\n')}</ul>`;
}

const runText = ({ commit, measuredAt }: HistoryEntry) =>
  `${dateText(measuredAt)} (<code>${escapeHtml(commit.slice(0, 7))}</code>)`;

function historyItem(bench: KeptBench, history: readonly HistoryEntry[]): readonly string[] {
  const points = history.flatMap(({ commit, benches }) => {
    const same = benches.find((each) => benchKey(each) === benchKey(bench));
    return same === undefined ? [] : [{ label: commit.slice(0, 7), ratio: ratioOf(same.time) }];
  });
  if (points.length < 2) return [];
  const text = points.map(({ label, ratio }) => `${label}: ${ratioText(ratio)}`).join('; ');
  const last = points.at(-1);
  return [
    `<li><span class="name">${escapeHtml(bench.suite)}<small>${escapeHtml(`${bench.ours} beside ${bench.peer}`)}</small></span>
${historyChart(points)}<small>now ${last === undefined ? '' : ratioText(last.ratio)}</small>
<details><summary>Numbers<span class="muted"> of ${points.length} runs</span></summary><small>${escapeHtml(text)}</small></details></li>`,
  ];
}

/** The differences from the run before. */
export function changesSection({ changes }: ReportData): string {
  const head = '<h2 id="changes">What changed</h2>';
  if (changes === undefined) return `${head}<p class="note">There is no earlier run to compare with.</p>`;
  const { from, to } = changes;
  const intro = `<p>From ${runText(from)} to ${runText(to)}. A change is one when the two intervals lie apart. ${changes.unchanged} benches show none.
These runs had their own times and loads: only <code>npm run perf:regression</code>, which measures both sides together, can call a change a regression.</p>`;
  if (changes.changes.length === 0) return `${head}${intro}<p>Nothing changed.</p>`;
  return `${head}${intro}<ul class="rows">${changes.changes.map(changeRow).join('\n')}</ul>`;
}

function changeRow({ suite, ours, peer, kind, before, after }: Change): string {
  const figures = [before, after].map((bench) => (bench === undefined ? '–' : ratioText(ratioOf(bench.time))));
  return `<li><span class="name">${escapeHtml(suite)}<small>${escapeHtml(`${ours} beside ${peer}`)}</small></span>
<span><span class="badge ${kind}">${kind}</span></span><span class="figure">${figures.join(' → ')}</span></li>`;
}

/** All contenders of every suite, folded. */
export function suiteSection({ benchmark }: ReportData): string {
  if (benchmark === undefined) return '';
  const suites = benchmark.suites.map((outcome) =>
    isFailed(outcome)
      ? `<p><span class="badge failed">failed</span> ${escapeHtml(`${outcome.name}: ${outcome.error.split('\n')[0]}`)}</p>`
      : suiteDetails(outcome),
  );
  return `<h2 id="suites">Every suite</h2>${suites.join('\n')}`;
}

function suiteDetails(suite: SuiteReport): string {
  const head = CONTENDER_HEAD.map((text) => `<th scope="col">${text}</th>`).join('');
  const rows = suite.contenders.map((contender) => {
    const [name = '', ...cells] = contenderCells(contender, suite).map(escapeHtml);
    return `<tr><th scope="row">${name}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const gates = suite.contenders.flatMap(({ gates: judged }) => judged);
  const bad = gates.filter(({ verdict }) => verdict === 'failed').length;
  const note =
    gates.length === 0
      ? ''
      : bad > 0
        ? ` <span class="badge failed">${bad} of ${gates.length} gates failed</span>`
        : ' <span class="badge passed">gates passed</span>';
  const caption = `${suite.rounds} rounds; the baseline varied by ${(suite.noiseRatio * 100).toFixed(1)} %`;
  const main = suite.comparisons[0];
  const meaning =
    main === undefined ? '' : `<p>${escapeHtml(`${main.ours} beside ${main.peer}: ${meaningOf(main.time)}.`)}</p>`;
  return `<details><summary>${escapeHtml(suite.name)}${note}</summary>${meaning}
<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(suite.name)}"><table><caption>${caption}</caption>
<thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div></details>`;
}
