import type { ConfigIssue } from '../../errors/config-error.ts';
import { acceptsNull, isSchema, type JsonSchema, resolved, schemasIn, typesOf } from './json-schema.ts';

/** Formats that strict mode knows. Source: OpenAI, "Structured outputs", supported schemas. */
const FORMATS: ReadonlySet<unknown> = new Set('date-time time date duration email hostname ipv4 ipv6 uuid'.split(' '));

/** Keywords that no answer depends on. */
const ANNOTATIONS: ReadonlySet<string> = new Set(
  'default examples $comment $id readOnly writeOnly deprecated'.split(' '),
);

/** Keywords of strict mode. A validator checks every other rule by itself, such as a string's `minLength`. */
const KEYWORDS: ReadonlySet<string> = new Set(
  (
    'type properties required additionalProperties items anyOf oneOf enum const $ref $defs definitions title ' +
    'description format pattern multipleOf minimum maximum exclusiveMinimum exclusiveMaximum minItems maxItems'
  ).split(' '),
);

/** Keywords that strict mode lacks and that change the form of an answer, each with what to write instead. */
const FORMS: Readonly<Record<string, string>> = {
  allOf: 'one object with all fields',
  not: 'the allowed values as an enum or a union',
  if: 'a union of objects',
  dependentRequired: 'a union of objects',
  dependentSchemas: 'a union of objects',
  patternProperties: 'named fields, or an array of objects with key and value',
  prefixItems: 'an object with a field for each element',
  unevaluatedItems: 'an array of one type',
  unevaluatedProperties: 'named fields',
  $dynamicRef: 'a $ref',
};

/** A regular expression that looks around or refers back, which strict mode refuses. */
const LOOKS_AROUND = /\(\?<?[=!]|\\[1-9]|\\k</;

/** The place and reason for which a schema can't be sent. */
export class SchemaIssue extends Error {
  readonly issue: ConfigIssue;

  constructor(path: string, expected: string, got: string) {
    super(`${path}: expected ${expected}, got ${got}`);
    this.issue = { option: path, expected, got };
  }
}

export interface StrictSchema {
  readonly jsonSchema: JsonSchema;
  /** Whether an optional field may now be null. */
  readonly addsNull: boolean;
}

/**
 * Writes a JSON Schema as OpenAI's strict mode takes it: every field is required, an optional one may be null, and no
 * object has further fields. `isGenerated` is for the schema of a validator: rules that strict mode lacks are left to
 * the validator. A schema that was written by hand keeps whatever has no exact translation, because a compatible server
 * may take it.
 *
 * @returns the same object where there is nothing to translate.
 * @throws `SchemaIssue` for a generated schema that has no such form.
 */
export function strictSchema(root: JsonSchema, isGenerated: boolean, option: string): StrictSchema {
  const writer = new StrictWriter(root, isGenerated, option);
  const jsonSchema = writer.write();
  return writer.isChanged ? { jsonSchema, addsNull: writer.addsNull } : { jsonSchema: root, addsNull: false };
}

class StrictWriter {
  readonly #root: JsonSchema;
  readonly #isGenerated: boolean;
  readonly #option: string;
  isChanged = false;
  addsNull = false;

  constructor(root: JsonSchema, isGenerated: boolean, option: string) {
    this.#root = root;
    this.#isGenerated = isGenerated;
    this.#option = option;
  }

  write(): JsonSchema {
    if (!this.#isGenerated) return this.#node(this.#root, this.#option) as JsonSchema;
    const target = resolved(this.#root, this.#root);
    const { $defs, definitions } = this.#root;
    const isObject = target !== undefined && typesOf(target).includes('object') && !('anyOf' in target);
    if (!isObject) {
      this.#refuse(this.#option, 'an object as the whole answer', 'another type or a union; put it into a field');
    }
    const shared = { ...($defs === undefined ? {} : { $defs }), ...(definitions === undefined ? {} : { definitions }) };
    if (target !== this.#root) this.isChanged = true;
    return this.#node({ ...target, ...shared }, this.#option) as JsonSchema;
  }

  #refuse(path: string, expected: string, got: string): void {
    if (this.#isGenerated) throw new SchemaIssue(path, expected, got);
  }

  #node(node: unknown, path: string): unknown {
    if (!isSchema(node) || Object.keys(node).length === 0) {
      this.#refuse(path, 'a schema with a type', 'one that allows anything');
      return node;
    }
    const { type } = node;
    const form = Object.keys(FORMS).find((keyword) => Object.hasOwn(node, keyword) && !PLAIN_TYPES.has(type));
    if (form !== undefined) {
      this.#refuse(path, FORMS[form] ?? '', `\`${form}\`, which strict mode lacks`);
      return node;
    }
    const written: Record<string, unknown> = {};
    for (const [keyword, value] of Object.entries(node)) {
      if (this.#isLeftOut(keyword, value)) this.isChanged = true;
      else written[keyword] = this.#keyword(keyword, value, path);
    }
    this.#writeType(written);
    this.#writeUnion(written);
    this.#writeReference(written, path);
    if ('properties' in written || typesOf(node).includes('object')) this.#writeObject(node, written, path);
    if (typesOf(node).includes('array') && !('items' in node)) {
      this.#refuse(path, 'an array whose items have a type', 'an array of anything');
    }
    return written;
  }

  #isLeftOut(keyword: string, value: unknown): boolean {
    if (ANNOTATIONS.has(keyword)) return true;
    if (!this.#isGenerated) return false;
    if (keyword === 'format') return !FORMATS.has(value);
    if (keyword === 'pattern') return typeof value !== 'string' || LOOKS_AROUND.test(value);
    return !KEYWORDS.has(keyword);
  }

  #keyword(keyword: string, value: unknown, path: string): unknown {
    if (keyword === 'items') return this.#node(value, `${path}[]`);
    if (keyword === 'anyOf' || keyword === 'oneOf') {
      return schemasIn(value)?.map((branch, index) => this.#node(branch, `${path}.${keyword}[${index}]`)) ?? value;
    }
    if ((keyword === '$defs' || keyword === 'definitions') && isSchema(value)) {
      return mapped(value, (name, definition) => this.#node(definition, `${path}.${keyword}.${name}`));
    }
    if (keyword === 'properties' && isSchema(value)) {
      return mapped(value, (name, property) => this.#node(property, `${path}.${name}`));
    }
    return value;
  }

  /** Strict mode wants a type beside fixed values. */
  #writeType(written: Record<string, unknown>): void {
    const { type, enum: values } = written;
    const fixed = 'const' in written ? [written['const']] : (schemasIn(values) ?? []);
    if (type !== undefined || fixed.length === 0) return;
    const types = [...new Set(fixed.map((value) => (value === null ? 'null' : typeof value)))];
    if (types.includes('object')) return;
    written['type'] = types.length === 1 ? types[0] : types;
    this.isChanged = true;
  }

  /** Any branch may match: a validator still judges whether only one does. */
  #writeUnion(written: Record<string, unknown>): void {
    if (written['oneOf'] === undefined || written['anyOf'] !== undefined) return;
    written['anyOf'] = written['oneOf'];
    delete written['oneOf'];
    this.isChanged = true;
  }

  /** Strict mode refuses words beside a reference. */
  #writeReference(written: Record<string, unknown>, path: string): void {
    const { $ref } = written;
    if ($ref === undefined) return;
    if (resolved(written, this.#root) === undefined) {
      this.#refuse(path, 'a reference to a part of the schema', 'one that leads nowhere');
    }
    if (Object.keys(written).length === 1 || 'anyOf' in written) return;
    delete written['$ref'];
    written['anyOf'] = [{ $ref }];
    this.isChanged = true;
  }

  #writeObject(node: JsonSchema, written: Record<string, unknown>, path: string): void {
    const { properties, additionalProperties: further } = node;
    const names = isSchema(properties) ? Object.keys(properties) : [];
    if (names.length === 0 && further !== false) {
      this.#refuse(path, FORMS['patternProperties'] ?? '', 'an object with free keys');
      return;
    }
    // A validator that takes further fields of any kind takes none of them too.
    const isOpen = further === true || (isSchema(further) && Object.keys(further).length === 0);
    if (further !== undefined && further !== false && !isOpen) {
      this.#refuse(path, FORMS['patternProperties'] ?? '', 'further fields of a type');
    }
    if (further === undefined || (isOpen && this.#isGenerated)) {
      written['additionalProperties'] = false;
      this.isChanged = true;
    }
    const required = new Set(schemasIn(node['required']) ?? []);
    const optional = names.filter((name) => !required.has(name));
    const fields = { ...(written['properties'] as Record<string, unknown> | undefined) };
    written['properties'] = fields;
    written['required'] = names;
    if (optional.length > 0) this.isChanged = true;
    for (const name of optional) {
      if (acceptsNull((properties as JsonSchema)[name], this.#root)) continue;
      this.addsNull = true;
      fields[name] = nullable(fields[name]);
    }
  }
}

const mapped = (schemas: JsonSchema, write: (name: string, schema: unknown) => unknown): JsonSchema =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, write(name, schema)]));

const NULL: JsonSchema = { type: 'null' };
const PLAIN_TYPES: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean']);

function nullable(node: unknown): unknown {
  if (!isSchema(node)) return node;
  const { anyOf, type } = node;
  const branches = schemasIn(anyOf);
  if (branches !== undefined && type === undefined) return { ...node, anyOf: [...branches, NULL] };
  const isPlain = PLAIN_TYPES.has(type) && !('enum' in node || 'const' in node);
  return isPlain ? { ...node, type: [type, 'null'] } : { anyOf: [node, NULL] };
}
