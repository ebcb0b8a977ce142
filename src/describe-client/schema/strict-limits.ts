import type { ConfigIssue } from '../../errors/config-error.ts';
import { isSchema, type JsonSchema, schemasIn } from './json-schema.ts';

/*
 * Limits of OpenAI's strict mode. Source: OpenAI, "Structured outputs" guide, "Supported schemas", as of February 2026.
 * It says nothing of how levels are counted, so a schema counts as too deep only if it is so by any count.
 */
const MAX_PROPERTIES = 5_000;
const MAX_LEVELS = 10;
const MAX_ENUM_VALUES = 1_000;
/** Of the names of properties and definitions, and the values of `enum` and `const`. */
const MAX_CHARACTERS = 120_000;
/** An `enum` of strings with more values than this has a limit of its own for its characters. */
const LARGE_ENUM_VALUES = 250;
const MAX_LARGE_ENUM_CHARACTERS = 15_000;

const SOURCE = 'more is refused by OpenAI\'s strict mode (guide "Structured outputs"). Ask for less in one call';

/** The totals of a schema. */
class SchemaSize {
  properties = 0;
  levels = 0;
  enumValues = 0;
  characters = 0;
  largeEnumCharacters = 0;

  /** @param level - The number of objects around it. */
  add(node: unknown, level: number): void {
    if (!isSchema(node)) return;
    const { properties, items, const: value } = node;
    if (isSchema(properties)) {
      this.levels = Math.max(this.levels, level);
      this.properties += Object.keys(properties).length;
      this.#addNamed(properties, level + 1);
    }
    for (const definitions of [node['$defs'], node['definitions']]) {
      if (isSchema(definitions)) this.#addNamed(definitions, 0);
    }
    for (const branches of [node['anyOf'], node['oneOf'], node['allOf']]) {
      for (const branch of schemasIn(branches) ?? []) this.add(branch, level);
    }
    this.add(items, level);
    this.#addValues(schemasIn(node['enum']) ?? []);
    this.characters += lengthOf(value);
  }

  #addNamed(schemas: JsonSchema, level: number): void {
    for (const [name, schema] of Object.entries(schemas)) {
      this.characters += name.length;
      this.add(schema, level);
    }
  }

  #addValues(values: readonly unknown[]): void {
    const characters = values.reduce((sum: number, value) => sum + lengthOf(value), 0);
    this.enumValues += values.length;
    this.characters += characters;
    if (values.length > LARGE_ENUM_VALUES) {
      this.largeEnumCharacters = Math.max(this.largeEnumCharacters, characters);
    }
  }
}

const lengthOf = (value: unknown): number => (typeof value === 'string' ? value.length : 0);

function issuesOf(jsonSchema: JsonSchema): readonly ConfigIssue[] {
  const size = new SchemaSize();
  size.add(jsonSchema, 0);
  const limits = [
    [size.properties, MAX_PROPERTIES, 'properties in all'],
    [size.levels, MAX_LEVELS, 'levels of objects inside objects'],
    [size.enumValues, MAX_ENUM_VALUES, 'values of enums in all'],
    [size.characters, MAX_CHARACTERS, 'characters of names and fixed values in all'],
    [size.largeEnumCharacters, MAX_LARGE_ENUM_CHARACTERS, `characters in an enum of over ${LARGE_ENUM_VALUES} values`],
  ] as const;
  return limits
    .filter(([given, limit]) => given > limit)
    .map(([given, limit, what]) => ({
      option: 'schema',
      expected: `at most ${limit} ${what}`,
      got: `${given}; ${SOURCE}`,
    }));
}

const known = new WeakMap<JsonSchema, readonly ConfigIssue[]>();

/** Why OpenAI's strict mode refuses a schema for its size. A schema serves many requests, so it is measured once. */
export function strictLimitIssues(jsonSchema: JsonSchema): readonly ConfigIssue[] {
  let issues = known.get(jsonSchema);
  if (issues === undefined) {
    issues = issuesOf(jsonSchema);
    known.set(jsonSchema, issues);
  }
  return issues;
}
