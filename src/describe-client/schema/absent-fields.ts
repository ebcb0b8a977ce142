import { acceptsNull, isSchema, type JsonSchema, resolved, schemasIn, typesOf } from './json-schema.ts';

/**
 * Takes the fields out of an answer that are null only because strict mode has no optional fields. `root` is the
 * schema before its translation. A field whose own schema accepts null stays.
 */
export const withoutAddedNulls = (value: unknown, root: JsonSchema): unknown => new Cleaner(root).cleaned(value, root);

/** A union may lead to itself. More unions than this are not followed for one value. */
const MAX_UNIONS = 32;

class Cleaner {
  readonly #root: JsonSchema;
  /**
   * Whether a value has the form of a schema, each found out once. Unions within unions would otherwise take twice the
   * time with each level of an answer.
   */
  readonly #known = new Map<JsonSchema, Map<unknown, boolean>>();

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  cleaned(value: unknown, node: unknown, unions = 0): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const root = this.#root;
    const schema = resolved(node, root);
    if (schema === undefined || unions > MAX_UNIONS) return value;
    const { properties, items } = schema;
    const branches = branchesOf(schema);
    if (branches !== undefined && properties === undefined) {
      const branch = branches.find((candidate) => this.#matches(value, candidate));
      return branch === undefined ? value : this.cleaned(value, branch, unions + 1);
    }
    if (Array.isArray(value)) return value.map((element: unknown) => this.cleaned(element, items));
    if (!isSchema(properties)) return value;
    const kept = Object.entries(value).filter(([name, field]) => !isAbsent(name, field, schema, properties, root));
    return Object.fromEntries(kept.map(([name, field]) => [name, this.cleaned(field, ownOf(properties, name))]));
  }

  #matches(value: unknown, node: unknown): boolean {
    const schema = resolved(node, this.#root);
    if (schema === undefined) return false;
    let known = this.#known.get(schema);
    if (known === undefined) {
      known = new Map();
      this.#known.set(schema, known);
    }
    const before = known.get(value);
    if (before !== undefined) return before;
    // A schema that leads back to itself says nothing about the value.
    known.set(value, false);
    const result = this.#hasForm(value, schema);
    known.set(value, result);
    return result;
  }

  /** Whether a value has the form of a branch: its types, its fields, and its fixed values. */
  #hasForm(value: unknown, schema: JsonSchema): boolean {
    const { enum: values, properties, items } = schema;
    if ('const' in schema && schema['const'] !== value) return false;
    if (Array.isArray(values) && !values.includes(value)) return false;
    const types = typesOf(schema);
    if (types.length > 0 && !types.some((type) => isOfType(value, type))) return false;
    const branches = branchesOf(schema);
    if (branches !== undefined && !branches.some((branch) => this.#matches(value, branch))) return false;
    if (Array.isArray(value)) return items === undefined || value.every((element) => this.#matches(element, items));
    if (!isSchema(value) || !isSchema(properties)) return true;
    const required = new Set(schemasIn(schema['required']) ?? []);
    if (!Object.keys(properties).every((name) => Object.hasOwn(value, name) || !required.has(name))) return false;
    return Object.entries(value).every(([name, field]) => {
      const property = ownOf(properties, name);
      return property !== undefined && ((field === null && !required.has(name)) || this.#matches(field, property));
    });
  }
}

const branchesOf = ({ anyOf, oneOf }: JsonSchema): readonly unknown[] | undefined =>
  schemasIn(anyOf) ?? schemasIn(oneOf);

const ownOf = (properties: JsonSchema, name: string): unknown =>
  Object.hasOwn(properties, name) ? properties[name] : undefined;

const isOptional = ({ required }: JsonSchema, name: string): boolean => !(schemasIn(required) ?? []).includes(name);

const isAbsent = (name: string, field: unknown, schema: JsonSchema, properties: JsonSchema, root: JsonSchema) =>
  field === null && isOptional(schema, name) && !acceptsNull(ownOf(properties, name), root);

function isOfType(value: unknown, type: unknown): boolean {
  if (value === null) return type === 'null';
  if (Array.isArray(value)) return type === 'array';
  if (typeof value === 'number') return type === 'number' || (type === 'integer' && Number.isInteger(value));
  return type === typeof value;
}
