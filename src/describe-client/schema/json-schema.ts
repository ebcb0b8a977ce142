export type JsonSchema = Readonly<Record<string, unknown>>;

export const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The schemas under a keyword, such as `anyOf`; undefined where it holds no list. */
export const schemasIn = (list: unknown): readonly unknown[] | undefined => (Array.isArray(list) ? list : undefined);

export const typesOf = ({ type }: JsonSchema): readonly unknown[] =>
  Array.isArray(type) ? type : type === undefined ? [] : [type];

/** A longer chain of references is a circle. */
const MAX_REFERENCES = 32;

/** The schema that a reference within `root` leads to. Undefined where there is none. */
export function resolved(node: unknown, root: JsonSchema): JsonSchema | undefined {
  let current = node;
  for (let step = 0; step < MAX_REFERENCES; step += 1) {
    if (!isSchema(current)) return undefined;
    const { $ref } = current;
    if (typeof $ref !== 'string') return current;
    current = pointedTo($ref, root);
  }
  return undefined;
}

/** Follows a JSON Pointer in a fragment (RFC 6901). */
function pointedTo(reference: string, root: JsonSchema): unknown {
  if (reference !== '#' && !reference.startsWith('#/')) return undefined;
  let current: unknown = root;
  for (const segment of reference.split('/').slice(1)) {
    const name = unescaped(segment);
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name)) return undefined;
    current = (current as JsonSchema)[name];
  }
  return current;
}

function unescaped(segment: string): string {
  const plain = (text: string) => text.replaceAll('~1', '/').replaceAll('~0', '~');
  try {
    return plain(decodeURIComponent(segment));
  } catch {
    // Not every library escapes a percent sign.
    return plain(segment);
  }
}

/** Whether null is valid. A schema that says nothing about it counts as one that accepts it. */
export function acceptsNull(node: unknown, root: JsonSchema, seen = new Set<JsonSchema>()): boolean {
  const schema = resolved(node, root);
  // A schema that was looked at did not accept it, or is being looked at: a union may lead to itself, and twice to one.
  if (schema === undefined || seen.has(schema)) return false;
  seen.add(schema);
  const { enum: values, anyOf, oneOf } = schema;
  if ('const' in schema) return schema['const'] === null;
  if (Array.isArray(values) && !values.includes(null)) return false;
  const types = typesOf(schema);
  if (types.length > 0) return types.includes('null');
  const branches = schemasIn(anyOf) ?? schemasIn(oneOf);
  if (branches !== undefined) return branches.some((branch) => acceptsNull(branch, root, seen));
  return !('properties' in schema || 'items' in schema || 'allOf' in schema);
}
