import type { ConfigIssue } from '../../errors/config-error.ts';
import { ignoreRejection } from '../../internal/async/user-callback.ts';
import {
  callable,
  check,
  describeKind,
  type OptionCheck,
  required,
  shape,
} from '../../internal/options/option-checks.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import { withoutAddedNulls } from './absent-fields.ts';
import type { JsonSchema } from './json-schema.ts';
import type { DescribeSchema, OpenAIFormat, SchemaSource, StandardIssue, StandardSchema } from './schema-source.ts';
import { SchemaIssue, strictSchema } from './strict-schema.ts';

const schemaName = check(
  'a name of at most 64 letters, digits, _ and -',
  (value) => typeof value === 'string' && /^[\w-]{1,64}$/.test(value),
);

/** Schemas that can be written as JSON. One schema serves many requests, so it is checked once. */
const soundSchemas = new WeakSet<object>();

function jsonObject(): OptionCheck {
  return (value, option) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      if (soundSchemas.has(value)) return [];
      try {
        JSON.stringify(value);
        soundSchemas.add(value);
        return [];
      } catch {
        // A cycle, a BigInt, or a getter that throws cannot be sent.
      }
    }
    return [{ option, expected: 'an object that JSON can hold', got: describeKind(value) }];
  };
}

const checkWritten = shape({
  name: required(schemaName, 'a name'),
  jsonSchema: required(jsonObject(), 'a JSON schema'),
  parse: callable(),
});

type AnySchema = DescribeSchema<unknown>;
/** The result for a schema of a library, by the object that it is. */
const read = new WeakMap<object, { readonly schema: AnySchema } | { readonly issues: readonly ConfigIssue[] }>();
/** Translations of schemas that were written by hand. */
const translated = new WeakMap<object, { readonly jsonSchema: JsonSchema; readonly addsNull: boolean }>();

/** The option `schema`. A schema of a library is read once; the issue of one that can't be sent names its place. */
export const schemaCheck: OptionCheck = (value, option) => {
  if (!isOfLibrary(value)) return checkWritten(value, option);
  const known = readOf(value);
  return 'issues' in known ? known.issues : [];
};

/** The form in which a checked schema is sent and its answer is read. */
export function requestSchema<Data>(source: SchemaSource<Data>): DescribeSchema<Data> {
  if (!isOfLibrary(source)) return inStrictMode(callOptions(source as DescribeSchema<Data>));
  const known = readOf(source);
  if ('issues' in known) throw new TypeError('a schema is checked before it is used');
  return known.schema as DescribeSchema<Data>;
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

const isStandard = (value: object): value is StandardSchema =>
  isObject((value as Partial<StandardSchema>)['~standard']);

const isFormat = (value: object): value is OpenAIFormat => (value as Partial<OpenAIFormat>).type === 'json_schema';

/** A schema of arktype is a function. */
const isOfLibrary = (value: unknown): value is StandardSchema | OpenAIFormat =>
  isObject(value) && (isStandard(value) || isFormat(value));

function readOf(source: StandardSchema | OpenAIFormat) {
  let known = read.get(source);
  if (known === undefined) {
    try {
      const schema = isStandard(source) ? ofStandard(source) : ofFormat(source);
      const issues = checkWritten(schema, 'schema');
      known = issues.length > 0 ? { issues } : { schema };
    } catch (error) {
      if (!(error instanceof SchemaIssue)) throw error;
      known = { issues: [error.issue] };
    }
    read.set(source, known);
  }
  return known;
}

/** A hand-written schema in strict mode; the same object where it is so already. */
function inStrictMode<Data>(schema: DescribeSchema<Data>): DescribeSchema<Data> {
  const { name, jsonSchema, parse } = schema;
  let strict = translated.get(jsonSchema);
  if (strict === undefined) {
    strict = strictSchema(jsonSchema, false, 'schema');
    translated.set(jsonSchema, strict);
  }
  if (strict.jsonSchema === jsonSchema) return schema;
  return { name, jsonSchema: strict.jsonSchema, parse: strict.addsNull ? withAbsent(jsonSchema, parse) : parse };
}

/** Reads answers as the schema meant them before its translation. */
const withAbsent =
  <Data>(jsonSchema: JsonSchema, parse: ((value: unknown) => Data) | undefined) =>
  (value: unknown): Data => {
    const meant = withoutAddedNulls(value, jsonSchema);
    return parse === undefined ? (meant as Data) : parse(meant);
  };

function ofStandard(source: StandardSchema): AnySchema {
  const { validate } = source['~standard'];
  const generated = generatedSchema(source);
  const { jsonSchema, addsNull } = strictSchema(generated, true, 'schema');
  const parse = typeof validate === 'function' ? parseBy(validate) : undefined;
  return {
    name: nameOf(generated),
    jsonSchema,
    ...(addsNull ? { parse: withAbsent(generated, parse) } : parse && { parse }),
  };
}

const TARGETS = ['draft-2020-12', 'draft-07'] as const;

/** The JSON Schema of what a validator takes: the answer is its input. */
function generatedSchema(source: StandardSchema): JsonSchema {
  const { jsonSchema: converter } = source['~standard'];
  const { toJsonSchema } = source as { readonly toJsonSchema?: unknown };
  const input = converter?.input;
  const convert: ((target: (typeof TARGETS)[number]) => unknown) | undefined =
    typeof input === 'function'
      ? (target) => input.call(converter, { target })
      : typeof toJsonSchema === 'function'
        ? () => toJsonSchema.call(source)
        : undefined;
  if (convert === undefined) {
    throw new SchemaIssue(
      'schema',
      'a schema that gives its JSON Schema, or `{ name, jsonSchema, parse }`',
      'a Standard Schema without `~standard.jsonSchema` (valibot: `toStandardJsonSchema(schema)`; zod: from 4.2 on)',
    );
  }
  let failure: unknown;
  for (const target of TARGETS) {
    try {
      const [issue] = jsonObject()(convert(target), 'schema');
      if (issue !== undefined) throw new SchemaIssue(issue.option, issue.expected, issue.got);
      return convert(target) as JsonSchema;
    } catch (error) {
      failure ??= error;
    }
  }
  const reason = failure instanceof Error ? failure.message.slice(0, MAX_REASON) : 'an error';
  throw new SchemaIssue('schema', 'a schema that JSON Schema can express', `one whose library says: ${reason}`);
}

const MAX_REASON = 200;
const MAX_NAME = 64;
const NAMELESS = 'description';

function nameOf({ title }: JsonSchema): string {
  if (typeof title !== 'string') return NAMELESS;
  return title.slice(0, MAX_NAME).replace(/[^\w-]/g, '_') || NAMELESS;
}

type Validate = NonNullable<StandardSchema['~standard']['validate']>;

function parseBy(validate: Validate): (value: unknown) => unknown {
  if (isAsync(validate)) {
    throw new SchemaIssue('schema', 'a synchronous validator', 'one that returns a promise; check those rules later');
  }
  return (value) => {
    const result = validate(value);
    if (ignoreRejection(result)) throw new TypeError('the validator of the schema must be synchronous');
    if ('issues' in result && result.issues !== undefined) throw unfit(result.issues);
    return (result as { readonly value: unknown }).value;
  };
}

/** A validator that is always asynchronous shows that before anything is spent. */
function isAsync(validate: Validate): boolean {
  try {
    return ignoreRejection(validate(undefined));
  } catch {
    return false;
  }
}

const MAX_ISSUES = 10;

function unfit(issues: readonly StandardIssue[]): Error {
  const said = Array.from(issues)
    .slice(0, MAX_ISSUES)
    .map(({ message, path }) => {
      const place = (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
      return place === '' ? message : `${place}: ${message}`;
    });
  return Object.assign(new Error(said.join('; ')), { issues });
}

function ofFormat(source: OpenAIFormat): AnySchema {
  const { json_schema: nested } = source as { readonly json_schema?: unknown };
  const { name, schema: jsonSchema } = (nested ?? source) as { readonly name: string; readonly schema: JsonSchema };
  const { $parseRaw } = source as Partial<OpenAIFormat>;
  const parse = typeof $parseRaw === 'function' && ((value: unknown) => $parseRaw(JSON.stringify(value)));
  const [issue] = checkWritten({ name, jsonSchema }, 'schema');
  if (issue !== undefined) throw new SchemaIssue(issue.option, issue.expected, issue.got);
  return inStrictMode({ name, jsonSchema, ...(parse && { parse }) });
}
