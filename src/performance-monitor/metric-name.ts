import { InputError } from '../errors/input-error.ts';

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const MAX_NAME_LENGTH = 200;

/** Tells whether a text can be, or start, the name of a metric. */
export const isMetricName = (text: unknown): text is string =>
  typeof text === 'string' && text.length <= MAX_NAME_LENGTH && METRIC_NAME.test(text);

/** @throws `DESCRIBE_INPUT_INVALID` for a name that Prometheus does not take. */
export function checkMetricName(name: unknown): asserts name is string {
  if (isMetricName(name)) return;
  const shown = typeof name === 'string' ? JSON.stringify(name.slice(0, 40)) : typeof name;
  throw new InputError(
    'name',
    `a metric's name has letters, digits, _ and : and starts with no digit, got ${shown}`,
  );
}

const withSuffix = (name: string, suffix: string): string => (name.endsWith(suffix) ? name : name + suffix);

/** Counters end in `_total`, as Prometheus wants them. */
export const counterName = (name: string): string => withSuffix(name, '_total');

/** How the values of a unit are shown to Prometheus, which wants base units. */
export interface UnitExposition {
  readonly suffix: string;
  /** Value of the unit in base units. */
  readonly factor: number;
}

/** Milliseconds are exposed as seconds; every other unit as it is. */
export function unitExposition(unit: string | undefined): UnitExposition {
  if (unit === undefined) return { suffix: '', factor: 1 };
  return unit === 'ms' ? { suffix: '_seconds', factor: 0.001 } : { suffix: `_${unit}`, factor: 1 };
}

/** A histogram ends in its base unit: `wait_ms` and `wait`, both in milliseconds, are `wait_seconds`. */
export function histogramName(name: string, unit: string | undefined): string {
  const stem = unit === 'ms' && name.endsWith('_ms') ? name.slice(0, -'_ms'.length) : name;
  return withSuffix(stem, unitExposition(unit).suffix);
}
