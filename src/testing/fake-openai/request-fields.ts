import { type ApiError, invalidRequest } from './api-error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const missing = (param: string): ApiError =>
  invalidRequest(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter');

export const wrongType = (param: string, expected: string, got: unknown): ApiError =>
  invalidRequest(
    `Invalid type for '${param}': expected ${expected}, but got ${nameType(got)} instead.`,
    param,
    'invalid_type',
  );

const wrongValue = (param: string, got: unknown, supported: readonly string[]): ApiError => {
  const list = quoteAll(supported);
  return invalidRequest(`Invalid value: '${String(got)}'. Supported values are: ${list}.`, param, 'invalid_value');
};

/** `'a', 'b', and 'c'` */
export function quoteAll(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  return [quoted.slice(0, -1).join(', '), quoted.at(-1)].filter(Boolean).join(', and ');
}

/** Throws the API's 400 for a field that an object of the Responses API doesn't have. */
export function checkNames(value: JsonObject, param: string, names: readonly string[]): void {
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw invalidRequest(`Unknown parameter: '${param}.${unknown}'.`, `${param}.${unknown}`, 'unknown_parameter');
}

/** A number within bounds, or `undefined` when absent or null. */
export function readNumber(
  body: JsonObject,
  param: string,
  { min, max, integer = false }: { readonly min: number; readonly max?: number; readonly integer?: boolean },
): number | undefined {
  const value = body[param] ?? undefined;
  if (value === undefined) return undefined;
  const kind = integer ? 'integer' : 'decimal';
  if (typeof value !== 'number' || (integer && !Number.isInteger(value))) {
    throw wrongType(param, integer ? 'an integer' : 'a decimal', value);
  }
  if (value < min) {
    throw invalidRequest(
      `Invalid '${param}': ${kind} below minimum value. Expected a value >= ${min}, but got ${value} instead.`,
      param,
      `${kind}_below_min_value`,
    );
  }
  if (max !== undefined && value > max) {
    throw invalidRequest(
      `Invalid '${param}': ${kind} above maximum value. Expected a value <= ${max}, but got ${value} instead.`,
      param,
      `${kind}_above_max_value`,
    );
  }
  return value;
}

export function readBoolean(body: JsonObject, param: string): boolean | undefined {
  const value = body[param] ?? undefined;
  if (value !== undefined && typeof value !== 'boolean') throw wrongType(param, 'a boolean', value);
  return value;
}

/** A filled array. */
export function readList(value: unknown, param: string, expected = 'an array of objects'): readonly unknown[] {
  if (value === undefined) throw missing(param);
  if (!Array.isArray(value)) throw wrongType(param, expected, value);
  if (value.length === 0) {
    throw invalidRequest(
      `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      param,
      'empty_array',
    );
  }
  return value;
}

export function readText(value: unknown, param: string): string {
  if (value === undefined) throw missing(param);
  if (typeof value !== 'string') throw wrongType(param, 'a string', value);
  return value;
}

export function readObject(value: unknown, param: string): JsonObject {
  if (value === undefined) throw missing(param);
  if (!isJsonObject(value)) throw wrongType(param, 'an object', value);
  return value;
}

export function readChoice<Choice extends string>(value: unknown, param: string, choices: readonly Choice[]): Choice {
  const text = readText(value, param);
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw wrongValue(param, text, choices);
  return found;
}

function nameType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
