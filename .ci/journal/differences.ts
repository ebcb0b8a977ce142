import type { Json } from './normalise.ts';

/** Records by the name of their scenario. */
export type Journal = Readonly<Record<string, Json>>;

/** One value that is not the same in two records; `undefined` where it is missing. */
export interface Difference {
  readonly scenario: string;
  /** Path of the value in the record of its scenario. */
  readonly field: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/** Differences that are wanted, and why. */
export interface Accepted {
  /** Regular expression of the whole name of a scenario. */
  readonly scenario: string;
  /** Regular expression of the whole path of a field. */
  readonly field: string;
  /** The only value that is accepted there now; null where it is to be missing. Any value without it. */
  readonly after?: Json;
  readonly reason: string;
}

/** Every value that differs, in the order of scenarios and fields. */
export function differences(before: Journal, after: Journal): Difference[] {
  const scenarios = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return scenarios.flatMap((scenario) => {
    const [was, is] = [leaves(before[scenario]), leaves(after[scenario])];
    const fields = [...new Set([...was.keys(), ...is.keys()])];
    return fields
      .filter((field) => was.get(field) !== is.get(field))
      .map((field) => ({ scenario, field, before: was.get(field), after: is.get(field) }));
  });
}

/** Why a difference is wanted; undefined where it is not. */
export const reasonOf = (
  { scenario, field, after = null }: Difference,
  accepted: readonly Accepted[],
): string | undefined =>
  accepted.find(
    (entry) =>
      isWhole(entry.scenario, scenario) &&
      isWhole(entry.field, field) &&
      (entry.after === undefined || entry.after === after),
  )?.reason;

const isWhole = (pattern: string, name: string): boolean => new RegExp(`^(?:${pattern})$`).test(name);

/** Every value that is neither list nor object, by its path; an empty list or object is its own JSON. */
function leaves(value: Json | undefined, path = '', found = new Map<string, Json>()): Map<string, Json> {
  if (value === undefined) return found;
  if (value === null || typeof value !== 'object') return found.set(path, value);
  const entries = Object.entries(value);
  if (entries.length === 0) return found.set(path, Array.isArray(value) ? '[]' : '{}');
  const isList = Array.isArray(value);
  for (const [name, item] of entries) {
    const step = isList ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`;
    leaves(item as Json, step, found);
  }
  return found;
}
