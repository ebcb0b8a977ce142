import { formatRatio } from '../../harness/format-report.ts';
import type { RatioEstimate } from '../../harness/statistics.ts';
import { verdictOf } from '../standing.ts';

/**
 * Charts as SVG. Positions along the width are per cents, so that a chart fits a phone and its text keeps its size.
 * Every number of a chart also stands in the text beside it, so that the charts themselves are hidden from readers.
 */
export interface LogScale {
  readonly lower: number;
  readonly upper: number;
  readonly ticks: readonly number[];
}

/** Shares of the width that stay free at both ends, so that neither dots nor labels are cut. */
const MARGIN = 0.05;
const STEPS = [1, 3];
const MAX_TICKS = 6;

/** A logarithmic scale over all values, with ticks at 1 and 3 times powers of ten, or only at powers where many fit. */
export function logScale(
  values: readonly number[],
  { always = [] }: { readonly always?: readonly number[] } = {},
): LogScale {
  const all = [...values, ...always].filter((value) => value > 0 && Number.isFinite(value));
  const least = Math.min(...all);
  const most = Math.max(...all);
  const lower = least / 1.15 || 0.1;
  const upper = Math.max(most * 1.15, lower * 1.5);
  const powers = Array.from({ length: 31 }, (_, index) => 10 ** (index - 15));
  const within = (candidates: readonly number[]) => candidates.filter((tick) => tick >= lower && tick <= upper);
  const fine = within(powers.flatMap((power) => STEPS.map((step) => step * power)));
  const coarse = within(powers);
  const ticks = fine.length <= MAX_TICKS ? fine : coarse.length <= MAX_TICKS ? coarse : thinned(coarse);
  return { lower, upper, ticks: ticks.length >= 2 ? ticks : narrowTicks(lower, upper) };
}

const thinned = (ticks: readonly number[]) => ticks.filter((tick) => Math.round(Math.log10(tick)) % 2 === 0);

/** Within less than a decade, round numbers near the ends and the middle. */
function narrowTicks(lower: number, upper: number): readonly number[] {
  // 1 is the value that a reader looks for.
  const middle = lower < 1 && 1 < upper ? 1 : Math.sqrt(lower * upper);
  const at = [lower * 1.05, middle, upper / 1.05].map((value) => Number(value.toPrecision(2)));
  return [...new Set(at)].filter((tick) => tick >= lower && tick <= upper);
}

/** A value's place along the width, in per cent. */
export function placeOf(value: number, { lower, upper }: LogScale): number {
  const share = Math.log(Math.min(Math.max(value, lower), upper) / lower) / Math.log(upper / lower);
  return Number((100 * (MARGIN + share * (1 - 2 * MARGIN))).toFixed(2));
}

const ROW_HEIGHT = 24;

const grid = (scale: LogScale, height: number, strong: number | undefined): string =>
  [...scale.ticks, ...(strong === undefined ? [] : [strong])]
    .map((tick) => {
      const x = placeOf(tick, scale);
      return `<line class="${tick === strong ? 'one' : 'grid'}" x1="${x}%" x2="${x}%" y1="0" y2="${height}"/>`;
    })
    .join('');

/** One interval with its value as a dot, on a scale that all rows share. */
export function intervalRow(ratio: RatioEstimate, scale: LogScale): string {
  const middle = ROW_HEIGHT / 2;
  const [value, lower, upper] = [ratio.value, ratio.lower, ratio.upper].map((each) => placeOf(each, scale));
  return svg(
    ROW_HEIGHT,
    `${grid(scale, ROW_HEIGHT, 1)}<line class="bar ${verdictOf(ratio)}" x1="${lower}%" x2="${upper}%" y1="${middle}" y2="${middle}"/>` +
      `<circle class="dot ${verdictOf(ratio)}" cx="${value}%" cy="${middle}" r="5"/>`,
  );
}

/** A span from one value to a larger one, such as from the median to the 99th percentile. */
export function spanRow(from: number, to: number, scale: LogScale): string {
  const middle = ROW_HEIGHT / 2;
  const [start, end] = [placeOf(from, scale), placeOf(to, scale)];
  return svg(
    ROW_HEIGHT,
    `${grid(scale, ROW_HEIGHT, undefined)}<line class="bar span" x1="${start}%" x2="${end}%" y1="${middle}" y2="${middle}"/>` +
      `<circle class="dot span" cx="${start}%" cy="${middle}" r="5"/>` +
      `<line class="end" x1="${end}%" x2="${end}%" y1="${middle - 6}" y2="${middle + 6}"/>`,
  );
}

/** The labels of a scale. */
export function axisRow(scale: LogScale, text: (tick: number) => string): string {
  const labels = scale.ticks.map(
    (tick) => `<text x="${placeOf(tick, scale)}%" y="14" text-anchor="middle">${text(tick)}</text>`,
  );
  return svg(20, labels.join(''));
}

const BAR_HEIGHT = 18;
/** Where the limit stands: what exceeds it still fits on its right. */
const LIMIT_PERCENT = 66;

/** A measured value beside its limit. */
export function limitBar(value: number, limit: number, isMet: boolean): string {
  const share = limit === 0 ? (value === 0 ? 0 : 2) : value / limit;
  const width = Number(Math.min(share * LIMIT_PERCENT, 100).toFixed(2));
  return svg(
    BAR_HEIGHT,
    `<rect class="track" x="0" y="4" width="100%" height="10" rx="3"/>` +
      `<rect class="fill ${isMet ? 'less' : 'more'}" x="0" y="4" width="${Math.max(width, 0.8)}%" height="10" rx="3"/>` +
      `<line class="limit" x1="${LIMIT_PERCENT}%" x2="${LIMIT_PERCENT}%" y1="0" y2="${BAR_HEIGHT}"/>`,
  );
}

const HISTORY_HEIGHT = 120;
const HISTORY_TOP = 10;
const HISTORY_BOTTOM = 10;

export interface HistoryPoint {
  readonly label: string;
  readonly ratio: RatioEstimate;
}

/** One ratio over the runs, the oldest at the left. */
export function historyChart(points: readonly HistoryPoint[]): string {
  const values = points.flatMap(({ ratio }) => [ratio.value, ratio.lower, ratio.upper]);
  const scale = logScale(values);
  const inner = HISTORY_HEIGHT - HISTORY_TOP - HISTORY_BOTTOM;
  const y = (value: number) => Number((HISTORY_TOP + inner * (1 - placeOf(value, scale) / 100)).toFixed(1));
  const x = (index: number) => Number((22 + (72 * (index + 0.5)) / points.length).toFixed(2));
  const lines = scale.ticks.map(
    (tick) =>
      `<line class="grid" x1="20%" x2="100%" y1="${y(tick)}" y2="${y(tick)}"/>` +
      `<text x="18%" y="${y(tick) + 4}" text-anchor="end">${formatRatio(tick).replace(/\.?0+$/, '')}</text>`,
  );
  const one =
    1 > scale.lower && 1 < scale.upper ? `<line class="one" x1="20%" x2="100%" y1="${y(1)}" y2="${y(1)}"/>` : '';
  const joins = points.slice(1).map(({ ratio }, index) => {
    const before = points[index]?.ratio.value ?? ratio.value;
    return `<line class="join" x1="${x(index)}%" x2="${x(index + 1)}%" y1="${y(before)}" y2="${y(ratio.value)}"/>`;
  });
  const marks = points.map(
    ({ ratio }, index) =>
      `<line class="bar ${verdictOf(ratio)}" x1="${x(index)}%" x2="${x(index)}%" y1="${y(ratio.lower)}" y2="${y(ratio.upper)}"/>` +
      `<circle class="dot ${verdictOf(ratio)}" cx="${x(index)}%" cy="${y(ratio.value)}" r="4"/>`,
  );
  return svg(HISTORY_HEIGHT, [...lines, one, ...joins, ...marks].join(''));
}

const svg = (height: number, content: string): string =>
  `<svg aria-hidden="true" focusable="false" width="100%" height="${height}">${content}</svg>`;
