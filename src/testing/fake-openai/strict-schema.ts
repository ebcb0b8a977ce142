import { isJsonObject, type JsonObject } from './request-fields.ts';
import type { JsonSchema } from './vision-request.ts';

/** Keywords that structured outputs don't know. */
const FORBIDDEN = ['allOf', 'oneOf', 'not', 'dependentRequired', 'dependentSchemas', 'if', 'then', 'else'];
/** Keywords of which a schema needs one. */
const KINDS = ['type', 'anyOf', '$ref', 'enum', 'const'];
const MAX_DEPTH = 10;

/**
 * Finds the first problem of a strict schema for structured outputs; `undefined` when there is none.
 * Source: OpenAI, "Structured outputs", supported schemas.
 */
export function strictProblem(schema: unknown, path: readonly string[], depth = 0): string | undefined {
  if (!isJsonObject(schema)) return undefined;
  const context = `In context=(${path.map((step) => `'${step}'`).join(', ')}), `;
  const forbidden = FORBIDDEN.find((keyword) => schema[keyword] !== undefined);
  if (forbidden !== undefined) return `${context}'${forbidden}' is not permitted.`;
  if (!KINDS.some((keyword) => schema[keyword] !== undefined)) {
    return `${context}schema must have a 'type' key.`;
  }
  if (depth > MAX_DEPTH) return `${context}schema exceeds maximum nesting depth of ${MAX_DEPTH}.`;
  const problem = objectProblem(schema);
  if (problem !== undefined) return `${context}${problem}`;
  if (schema['type'] === 'array' && schema['items'] === undefined) return `${context}array schema missing items.`;
  for (const [steps, inner] of innerSchemas(schema)) {
    const deeper = schema['type'] === 'object' ? depth + 1 : depth;
    const innerProblem = strictProblem(inner, [...path, ...steps], deeper);
    if (innerProblem !== undefined) return innerProblem;
  }
  return undefined;
}

function objectProblem(schema: JsonObject): string | undefined {
  const properties = schema['properties'];
  if (schema['type'] !== 'object' && !isJsonObject(properties)) return undefined;
  if (schema['additionalProperties'] !== false) {
    return "'additionalProperties' is required to be supplied and to be false.";
  }
  const names = isJsonObject(properties) ? Object.keys(properties) : [];
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const absent = names.find((name) => !required.includes(name));
  if (absent !== undefined) {
    return `'required' is required to be supplied and to be an array including every key in properties. Missing '${absent}'.`;
  }
  const extra = required.find((name) => !names.includes(String(name)));
  return extra === undefined ? undefined : `Extra required key '${String(extra)}' supplied.`;
}

function innerSchemas(schema: JsonObject): (readonly [readonly string[], unknown])[] {
  const inner: (readonly [readonly string[], unknown])[] = [];
  for (const group of ['properties', '$defs', 'definitions']) {
    for (const [name, value] of Object.entries((schema[group] as JsonSchema | undefined) ?? {})) {
      inner.push([[group, name], value]);
    }
  }
  if (schema['items'] !== undefined) inner.push([['items'], schema['items']]);
  const choices = schema['anyOf'];
  if (Array.isArray(choices)) {
    for (const [at, value] of choices.entries()) inner.push([['anyOf', String(at)], value]);
  }
  return inner;
}
