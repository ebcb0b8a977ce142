import { InputError } from '../../errors/input-error.ts';

/**
 * Values of a series' labels, at most 32. Names are letters, digits and `_`; values of more than 200 characters are
 * cut.
 */
export type MetricLabels = Readonly<Record<string, string | number | boolean>>;

const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Labels with which Prometheus itself tells buckets and quantiles apart. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['le', 'quantile']);

/** Longest label value that is kept, because values come from outside. */
const MAX_VALUE_LENGTH = 200;

/** Most labels of a series, and most label names of a metric: each makes every lookup longer. */
export const MAX_LABELS = 32;

/** Label value of the series beyond `maxSeries`. */
export const OVERFLOW_VALUE = 'other';

/**
 * Looks at no value, and at no name after the 33rd, because labels may come from outside.
 * @throws `DESCRIBE_INPUT_INVALID` for more than 32 labels.
 */
export function checkLabelCount(metric: string, labels: MetricLabels): void {
  let count = 0;
  for (const _ in labels) {
    count += 1;
    if (count > MAX_LABELS) throw tooManyLabels(metric);
  }
}

export const tooManyLabels = (metric: string): InputError =>
  new InputError('labels', `${metric}: expected at most ${MAX_LABELS} labels, got more. Leave some out.`);

/**
 * @throws `DESCRIBE_INPUT_INVALID` for more than 32 labels, a name that Prometheus does not take, and one that every
 * series has already.
 */
export function checkLabelNames(metric: string, labels: MetricLabels, taken: Readonly<Record<string, string>>): void {
  checkLabelCount(metric, labels);
  for (const name of Object.keys(labels)) {
    const problem = labelNameProblem(name, taken);
    if (problem !== undefined) throw new InputError('labels', `${metric}: label ${JSON.stringify(name)} ${problem}`);
  }
}

/** The problem of a label's name; undefined when it is right. */
export function labelNameProblem(name: string, taken: Readonly<Record<string, string>> = {}): string | undefined {
  if (!LABEL_NAME.test(name)) return 'is not a label name';
  if (RESERVED_NAMES.has(name)) return 'is reserved by Prometheus';
  return Object.hasOwn(taken, name) ? "is one of the monitor's own labels" : undefined;
}

/** A label value as text; undefined for a value that cannot be one. */
export function labelText(value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (value.length <= MAX_VALUE_LENGTH) return value;
    // A cut inside a surrogate pair would leave half a character.
    return value.slice(0, MAX_VALUE_LENGTH).replace(/[\ud800-\udbff]$/, '');
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
