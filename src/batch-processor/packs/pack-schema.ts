type JsonSchema = Readonly<Record<string, unknown>>;

const TEXT: JsonSchema = { type: 'string' };

/** Name of an item's own schema within the pack's definitions, for a schema that refers to its root. */
const SELF = 'image_data';

/**
 * Schema of a pack's answer: `{ items: [{ id, text }] }`, or `{ id, data }` with `data` by the given schema.
 * Definitions move to the root, where references look for them. References to the root are rewritten.
 */
export function packSchema(item: JsonSchema | undefined): JsonSchema {
  if (item === undefined) return envelope('text', TEXT);
  const { $defs, definitions, $schema: _, ...own } = item;
  const refersToRoot = JSON.stringify(item).includes('"$ref":"#"');
  const data = refersToRoot ? redirect(own) : own;
  const moved = (refersToRoot ? redirect($defs) : $defs) as JsonSchema | undefined;
  const defs = refersToRoot ? { ...moved, [SELF]: data } : moved;
  return {
    ...envelope('data', refersToRoot ? { $ref: `#/$defs/${SELF}` } : data),
    ...(defs === undefined ? {} : { $defs: defs }),
    ...(definitions === undefined ? {} : { definitions: refersToRoot ? redirect(definitions) : definitions }),
  };
}

const envelope = (name: 'text' | 'data', value: unknown): JsonSchema =>
  closedObject({ items: { type: 'array', items: closedObject({ id: TEXT, [name]: value }) } });

const closedObject = (properties: JsonSchema): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

/** Copies a schema with `$ref: '#'` pointing to the item's own definition. */
function redirect(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redirect);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === '$ref' && inner === '#' ? `#/$defs/${SELF}` : redirect(inner),
    ]),
  );
}
