import { acceptsNull, isSchema, type JsonSchema, resolved, schemasIn, typesOf } from './json-schema.ts';

/**
 * Takes the fields out of an answer that are null only because strict mode has no optional fields. `root` is the
 * schema before its translation. A field whose own schema accepts null stays.
 */
export const withoutAddedNulls = (value: unknown, root: JsonSchema): unknown => cleaned(value, root, root);

function cleaned(value: unknown, node: unknown, root: JsonSchema): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const schema = resolved(node, root);
  if (schema === undefined) return value;
  const { properties, items } = schema;
  const branches = schemasIn(schema['anyOf']) ?? schemasIn(schema['oneOf']);
  if (branches !== undefined && properties === undefined) {
    const branch = branches.find((candidate) => matches(value, candidate, root));
    return branch === undefined ? value : cleaned(value, branch, root);
  }
  if (Array.isArray(value)) return value.map((element: unknown) => cleaned(element, items, root));
  if (!isSchema(properties)) return value;
  const kept = Object.entries(value).filter(([name, field]) => !isAbsent(name, field, schema, properties, root));
  return Object.fromEntries(kept.map(([name, field]) => [name, cleaned(field, ownOf(properties, name), root)]));
}

const ownOf = (properties: JsonSchema, name: string): unknown =>
  Object.hasOwn(properties, name) ? properties[name] : undefined;

const isOptional = ({ required }: JsonSchema, name: string): boolean => !(schemasIn(required) ?? []).includes(name);

const isAbsent = (name: string, field: unknown, schema: JsonSchema, properties: JsonSchema, root: JsonSchema) =>
  field === null && isOptional(schema, name) && !acceptsNull(ownOf(properties, name), root);

/** Whether a value has the form of a branch: its types, its fields, and its fixed values. */
function matches(value: unknown, node: unknown, root: JsonSchema): boolean {
  const schema = resolved(node, root);
  if (schema === undefined) return false;
  const { enum: values, properties, items } = schema;
  if ('const' in schema && schema['const'] !== value) return false;
  if (Array.isArray(values) && !values.includes(value)) return false;
  const types = typesOf(schema);
  if (types.length > 0 && !types.some((type) => isOfType(value, type))) return false;
  const branches = schemasIn(schema['anyOf']) ?? schemasIn(schema['oneOf']);
  if (branches !== undefined && !branches.some((branch) => matches(value, branch, root))) return false;
  if (Array.isArray(value)) return items === undefined || value.every((element) => matches(element, items, root));
  if (!isSchema(value) || !isSchema(properties)) return true;
  const hasAll = Object.keys(properties).every((name) => Object.hasOwn(value, name) || isOptional(schema, name));
  return (
    hasAll &&
    Object.entries(value).every(([name, field]) => {
      const property = ownOf(properties, name);
      return property !== undefined && ((field === null && isOptional(schema, name)) || matches(field, property, root));
    })
  );
}

function isOfType(value: unknown, type: unknown): boolean {
  if (value === null) return type === 'null';
  if (Array.isArray(value)) return type === 'array';
  if (typeof value === 'number') return type === 'number' || (type === 'integer' && Number.isInteger(value));
  return type === typeof value;
}
