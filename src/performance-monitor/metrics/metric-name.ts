import { InputError } from '../../errors/input-error.ts';

const METRIC_NAME = /^[a-zA-Z_:.][a-zA-Z0-9_:.]*$/;
const MAX_NAME_LENGTH = 200;

/** Tells whether a text can be, or start, the name of a metric. */
export const isMetricName = (text: unknown): text is string =>
  typeof text === 'string' && text.length <= MAX_NAME_LENGTH && METRIC_NAME.test(text);

/** @throws `DESCRIBE_INPUT_INVALID` for a name that Prometheus does not take, dots aside. */
export function checkMetricName(name: unknown): asserts name is string {
  if (isMetricName(name)) return;
  const shown = typeof name === 'string' ? JSON.stringify(name.slice(0, 40)) : typeof name;
  throw new InputError(
    'name',
    `a metric's name has letters, digits, dots, _ and : and starts with no digit, got ${shown}`,
  );
}

/** A name in Prometheus's form: dots become underscores. */
export const underscored = (name: string): string => name.replaceAll('.', '_');

const endsIn = (name: string, word: string): boolean => name === word || name.endsWith(`_${word}`);
const withEnd = (name: string, word: string): string => (endsIn(name, word) ? name : `${name}_${word}`);

/** A name without that last word, whether dotted or not. A name that is only this word stays. */
const withoutEnd = (name: string, word: string): string =>
  name.length > word.length + 1 && endsIn(underscored(name), word) ? name.slice(0, -word.length - 1) : name;

/** A counter's name in reports, without the `_total` of Prometheus. */
export const counterStem = (name: string): string => withoutEnd(name, 'total');

/** Counters end in `_total`, as Prometheus expects. */
export const counterName = (name: string): string => withEnd(underscored(name), 'total');

/** The form of a unit's values for Prometheus, which expects base units. */
export interface UnitExposition {
  /** Last word of the name; empty for none. */
  readonly suffix: string;
  /** Value of the unit in base units. */
  readonly factor: number;
}

/** Milliseconds are exposed as seconds; every other unit as it is. */
export function unitExposition(unit: string | undefined): UnitExposition {
  return unit === 'ms' ? { suffix: 'seconds', factor: 0.001 } : { suffix: unit ?? '', factor: 1 };
}

/** A histogram ends in its base unit: `wait_ms` and `wait`, both in milliseconds, are `wait_seconds`. */
export function histogramName(name: string, unit: string | undefined): string {
  const { suffix } = unitExposition(unit);
  const stem = underscored(unit === 'ms' ? withoutEnd(name, 'ms') : name);
  return suffix === '' ? stem : withEnd(stem, suffix);
}

/**
 * The histogram of an operation's durations: `resize`, `resize.duration` and `resize_duration_ms` are one.
 * @throws `DESCRIBE_INPUT_INVALID` for what can't be a metric's name.
 */
export function durationName(operation: string): string {
  checkMetricName(operation);
  const stem = withoutEnd(withoutEnd(operation, 'ms'), 'seconds');
  return endsIn(underscored(stem), 'duration') ? stem : `${stem}_duration`;
}

/** The operation whose durations a histogram has; `undefined` for a histogram of something else. */
export const operationOf = (histogram: string): string | undefined =>
  endsIn(underscored(histogram), 'duration') ? withoutEnd(histogram, 'duration') : undefined;

/** The counter of an operation's failures. */
export const errorsName = (operation: string): string => `${operationOf(durationName(operation)) ?? operation}_errors`;
