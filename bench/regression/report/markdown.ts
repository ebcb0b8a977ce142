import type { BenchReport } from '../engine/verdict.ts';
import type { GateReport } from './gate-report.ts';
import { change, detectable, explain, MEASURE_WORDS, measureOf, percent, value } from './words.ts';

/** The first line, by which the comment of an earlier run is found. */
export const MARKER = '<!-- describe-it performance gate -->';

const ORDER = ['slower', 'error', 'cannot tell', 'faster', 'same'] as const;
const WORDS = {
  slower: '**slower**',
  error: '**failed**',
  'cannot tell': 'cannot tell',
  faster: 'faster',
  same: 'same',
} as const;

/** The report as the comment on a pull request: a sentence, one table, and the details folded. */
export function markdownReport(report: GateReport): string {
  const benches = [...report.reports].sort((left, right) => ORDER.indexOf(left.verdict) - ORDER.indexOf(right.verdict));
  return [
    MARKER,
    `### Performance: ${headline(report)}`,
    '',
    `Compared with ${nameOf(report.base)}, on the same machine, in ${Math.round(report.elapsedMs / 1_000)} s.`,
    '',
    '| bench | verdict | CPU time | wall time | slowdown it would see |',
    '|---|---|---|---|---|',
    ...benches.map(row),
    ...listed('New, so there is nothing to compare with', report.added),
    ...listed('Skipped on this machine', report.skipped),
    '',
    ...details('What each verdict rests on', benches.map(reason)),
    ...details('Values, and the noise of this machine', valueTable(benches)),
    '',
    `Node ${report.machine.node}, ${report.machine.cores} cores of ${report.machine.cpu}, seed ${report.seed}. ` +
      'How to read this: docs/guide/performance-gate.md.',
    '',
  ].join('\n');
}

/** The verdict on the whole run, in a few words. */
export function headline({ reports, outcome }: GateReport): string {
  const count = (verdict: BenchReport['verdict']) => reports.filter((report) => report.verdict === verdict).length;
  const unknown = count('cannot tell');
  const aloud = unknown === 0 ? '' : `, ${unknown} of ${reports.length} cannot tell`;
  if (outcome === 'slower') return `${count('slower')} of ${reports.length} slower${aloud}`;
  if (outcome === 'error') return `${count('error')} of ${reports.length} failed${aloud}`;
  return `nothing slower${aloud}`;
}

const nameOf = ({ commit, described }: GateReport['base']) =>
  commit === undefined ? described : `${described} (${commit.slice(0, 7)})`;

function row(report: BenchReport): string {
  const cpu = measureOf(report, 'cpu');
  const wall = measureOf(report, 'wall');
  const deciding = measureOf(report, report.clock);
  const cells = [
    report.name,
    WORDS[report.verdict],
    cpu === undefined ? '' : change(cpu),
    wall === undefined ? '' : change(wall),
    detectable(deciding),
  ];
  return `| ${cells.map(escapeCell).join(' | ')} |`;
}

const reason = (report: BenchReport) => `- ${report.name}: ${report.verdict}. ${escapeCell(explain(report))}`;

function valueTable(benches: readonly BenchReport[]): readonly string[] {
  const rows = benches.flatMap(({ name, blocks, confirmingBlocks, measures }) =>
    measures.map(
      (found) =>
        `| ${name} | ${MEASURE_WORDS[found.measure]} | ${value(found.base, found.measure)} | ` +
        `${value(found.head, found.measure)} | ${change(found)} | ${percent(found.noiseFloor)} | ` +
        `${blocks.length}${confirmingBlocks.length > 0 ? ` + ${confirmingBlocks.length}` : ''} |`,
    ),
  );
  return [
    '| bench | measure | base | head | change | base against base | blocks |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ];
}

const listed = (title: string, entries: GateReport['added']) =>
  entries.length === 0
    ? []
    : ['', `${title}:`, ...entries.map(({ name, reason: why }) => `- ${name}: ${escapeCell(why)}`)];

const details = (summary: string, lines: readonly string[]) => [
  `<details><summary>${summary}</summary>`,
  '',
  ...lines,
  '',
  '</details>',
];

/** The text of a name or an error can then neither end a cell nor become markup. */
const escapeCell = (text: string) => text.replace(/[|<>]/g, (sign) => `\\${sign}`).replaceAll('\n', ' ');
