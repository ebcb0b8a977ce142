import { invalidRequest } from './api-error.ts';
import { isJsonObject, type JsonObject, missing, readBoolean, readChoice, readText } from './request-fields.ts';
import { strictProblem } from './strict-schema.ts';
import type { AnswerForm } from './vision-request.ts';

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
    const problem =
      schema['anyOf'] === undefined ? strictProblem(schema, []) : "schema must not have 'anyOf' at its root.";
    if (problem !== undefined) throw reject(problem);
  }
  return { type, schema };
}
