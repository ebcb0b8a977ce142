import type { LoadVerdict } from '../../../src/testing/index.ts';
import { formatValue } from '../../harness/format-report.ts';
import { figureText } from '../../load/format-load.ts';
import type { LoadTestResult } from '../load-results.ts';
import type { ReportData } from '../report-data.ts';
import { dateText } from '../words.ts';
import { escapeHtml } from './escape.ts';
import { axisRow, limitBar, logScale, spanRow } from './svg-charts.ts';

/** The load tests beside their thresholds. */
export function loadSection({ load }: ReportData): string {
  const head = '<h2 id="load">Load tests</h2>';
  if (load.length === 0) return `${head}<p class="note">No load test was run: <code>npm run perf:test</code>.</p>`;
  const first = load.toSorted((left, right) => left.startedAt.localeCompare(right.startedAt))[0];
  const when =
    first === undefined ? '' : `<p>The last run of each test; the oldest of ${dateText(first.startedAt)}.</p>`;
  return `${head}${when}${latencyRows(load)}<h3>Thresholds</h3>
<p>The mark on each bar is the limit. A bar that must stay under it is better when it is short; one with “at least” is better when it is long.</p>
${load.map(testDetails).join('\n')}`;
}

/** Milliseconds as a label; a call of less than a tenth is a hit in memory. */
const msText = (ms: number) => formatValue(ms, 'ms');

const tickText = (ms: number) => msText(ms).replace(/\.0+ /, ' ');

const LEAST_MS = 0.1;

function latencyRows(load: readonly LoadTestResult[]): string {
  const spans = load.flatMap(({ name, result }) =>
    result?.latencyMs === undefined
      ? []
      : [
          {
            name,
            p50: Math.max(result.latencyMs.p50, LEAST_MS),
            p99: Math.max(result.latencyMs.p99, LEAST_MS),
            result,
          },
        ],
  );
  if (spans.length === 0) return '';
  const scale = logScale(spans.flatMap(({ p50, p99 }) => [p50, p99]));
  const rows = spans.map(
    ({ name, p50, p99, result }) => `<li><span class="name">${escapeHtml(name)}</span>${spanRow(p50, p99, scale)}
<span class="figure">p50 ${msText(p50)}, p99 ${msText(p99)}<br><small>${result.calls} calls, ${result.throughput.toFixed(1)} a second</small></span></li>`,
  );
  const axis = `<div class="axis" aria-hidden="true"><span></span>${axisRow(scale, tickText)}<span></span></div>`;
  return `<h3>Time of a call</h3><p>The dot is the median, the far end the 99th percentile.</p>${axis}<ul class="rows">${rows.join('\n')}</ul>`;
}

function testDetails({ name, status, reason, result, leaks = [] }: LoadTestResult): string {
  const verdicts = result?.verdicts ?? [];
  const missed = verdicts.filter((verdict) => verdict.status === 'missed').length;
  const leaking = leaks.filter(({ isLeak }) => isLeak);
  const counts = verdicts.length === 0 ? '' : `, ${verdicts.length - missed} of ${verdicts.length} thresholds kept`;
  const text = `${counts}${leaking.length === 0 ? '' : `, ${leaking.map(({ resource }) => resource).join(', ')} grew`}`;
  const why = reason === undefined ? '' : `<p>${escapeHtml(reason.split('\n')[0] ?? '')}</p>`;
  const rows = verdicts.length === 0 ? '' : `<ul class="rows">${verdicts.map(verdictRow).join('\n')}</ul>`;
  const open = status === 'passed' ? '' : ' open';
  return `<details${open}><summary><span class="badge ${status}">${status}</span> ${escapeHtml(name)}<small>${escapeHtml(text)}</small></summary>${why}${rows}${leakText(leaks)}</details>`;
}

function verdictRow({ phase, threshold, limit, value, status }: LoadVerdict): string {
  const kind = status === 'not measured' ? 'open' : status;
  const bar = value === undefined ? '<span></span>' : limitBar(value, limit, status === 'met');
  const bound = threshold.startsWith('min') ? 'at least' : 'at most';
  return `<li><span class="name">${escapeHtml(threshold)}<small>${escapeHtml(phase ?? 'all phases')}</small></span>${bar}
<span class="figure"><span class="badge ${kind}">${status}</span> ${value === undefined ? '' : `${figureText(threshold, value)}, `}${bound} ${figureText(threshold, limit)}</span></li>`;
}

function leakText(leaks: NonNullable<LoadTestResult['leaks']>): string {
  if (leaks.length === 0) return '';
  const items = leaks.map(
    ({ resource, isLeak }) =>
      `<li>${escapeHtml(resource)}: <span class="badge ${isLeak ? 'missed' : 'met'}">${isLeak ? 'grew' : 'ended where it began'}</span></li>`,
  );
  return `<p>What the process held after each window:</p><ul>${items.join('')}</ul>`;
}
