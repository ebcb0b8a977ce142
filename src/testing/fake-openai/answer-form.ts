import { invalidRequest } from './api-error.ts';
import {
  isJsonObject,
  type JsonObject,
  missing,
  readBoolean,
  readChoice,
  readText,
} from './request-fields.ts';
import type { AnswerForm, JsonSchema } from './vision-request.ts';

const FORMS = ['json_object', 'json_schema', 'text'] as const;

/**
 * Reads the wanted form of the answer: chat's `response_format` keeps the schema in `json_schema`, the `text.format` of
 * Responses keeps it flat.
 */
export function readAnswerForm(
  format: JsonObject,
  param: string,
  { nested }: { readonly nested: boolean },
): AnswerForm {
  const type = readChoice(format['type'], `${param}.type`, FORMS);
  if (type !== 'json_schema') return { type };
  const holderParam = nested ? `${param}.json_schema` : param;
  const holder = nested ? format['json_schema'] : format;
  if (!isJsonObject(holder)) throw missing(holderParam);
  const name = readText(holder['name'], `${holderParam}.name`);
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw invalidRequest(
      `Invalid '${holderParam}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
      `${holderParam}.name`,
      'invalid_value',
    );
  }
  const schema = holder['schema'];
  if (schema === undefined) throw missing(`${holderParam}.schema`);
  const reject = (problem: string) =>
    invalidRequest(`Invalid schema for response_format '${name}': ${problem}`, param, 'invalid_json_schema');
  if (!isJsonObject(schema)) throw reject(`schema must be a JSON Schema of 'type: "object"'.`);
  if (readBoolean(holder, 'strict') === true) {
    if (schema['type'] !== 'object') throw reject(`schema must be a JSON Schema of 'type: "object"'.`);
    const problem = strictProblem(schema, []);
    if (problem !== undefined) throw reject(problem);
  }
  return { type, schema };
}

/** What structured outputs turn down in a strict schema. Source: OpenAI, "Structured outputs", supported schemas. */
function strictProblem(schema: unknown, path: readonly string[]): string | undefined {
  if (!isJsonObject(schema)) return undefined;
  const context = `In context=(${path.map((step) => `'${step}'`).join(', ')}), `;
  const properties = schema['properties'];
  if (schema['type'] === 'object' || isJsonObject(properties)) {
    if (schema['additionalProperties'] !== false) {
      return `${context}'additionalProperties' is required to be supplied and to be false.`;
    }
    const names = isJsonObject(properties) ? Object.keys(properties) : [];
    const required = Array.isArray(schema['required']) ? schema['required'] : [];
    const absent = names.find((name) => !required.includes(name));
    if (absent !== undefined) {
      return `${context}'required' is required to be supplied and to be an array including every key in properties. Missing '${absent}'.`;
    }
  }
  if (schema['type'] === 'array' && schema['items'] === undefined)
    return `${context}array schema missing items.`;
  for (const [name, inner] of innerSchemas(schema)) {
    const problem = strictProblem(inner, [...path, ...name]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function innerSchemas(schema: JsonObject): (readonly [readonly string[], unknown])[] {
  const inner: (readonly [readonly string[], unknown])[] = [];
  for (const group of ['properties', '$defs']) {
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
