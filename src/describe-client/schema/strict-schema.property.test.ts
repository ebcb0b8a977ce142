import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutAddedNulls } from './absent-fields.ts';
import { isSchema, type JsonSchema } from './json-schema.ts';
import { strictSchema } from './strict-schema.ts';

/** A schema, a value that it accepts, and the same value as strict mode writes it: with null for absent fields. */
interface Sample {
  readonly schema: JsonSchema;
  readonly value: unknown;
  readonly written: unknown;
  readonly acceptsNull: boolean;
}

const plain = (schema: JsonSchema, value: unknown, acceptsNull = false): Sample => ({
  schema,
  value,
  written: value,
  acceptsNull,
});

const leaf: fc.Arbitrary<Sample> = fc.oneof(
  fc.string().map((value) => plain({ type: 'string', minLength: 0 }, value)),
  fc.integer().map((value) => plain({ type: 'integer', default: 1 }, value)),
  fc.boolean().map((value) => plain({ type: 'boolean' }, value)),
  fc.constantFrom('a', 'b').map((value) => plain({ enum: ['a', 'b'] }, value)),
  fc.option(fc.string()).map((value) => plain({ type: ['string', 'null'] }, value, true)),
);

interface Field {
  readonly sample: Sample;
  readonly isOptional: boolean;
  readonly isAbsent: boolean;
}

function objectOf(fields: Readonly<Record<string, Field>>, kind?: string): Sample {
  const properties: Record<string, unknown> = kind === undefined ? {} : { kind: { const: kind } };
  const value: Record<string, unknown> = kind === undefined ? {} : { kind };
  const written = { ...value };
  const required = Object.keys(value);
  for (const [name, { sample, isOptional, isAbsent }] of Object.entries(fields)) {
    properties[name] = sample.schema;
    if (!isOptional) required.push(name);
    // A field that accepts null itself is never taken for an absent one.
    const isLeftOut = isOptional && isAbsent && !sample.acceptsNull;
    if (!isLeftOut) value[name] = sample.value;
    written[name] = isLeftOut ? null : sample.written;
  }
  return { schema: { type: 'object', properties, required }, value, written, acceptsNull: false };
}

const { sample: anySample, object } = fc.letrec<{ sample: Sample; object: Sample }>((tie) => {
  const fields = fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'default', 'toString', 'format'),
    fc.record({ sample: tie('sample'), isOptional: fc.boolean(), isAbsent: fc.boolean() }),
    { minKeys: 1, maxKeys: 4, noNullPrototype: true },
  );
  return {
    object: fields.map((of) => objectOf(of)),
    sample: fc.oneof(
      { maxDepth: 4 },
      leaf,
      tie('object'),
      tie('sample').map(({ schema, value, written }) => ({
        schema: { type: 'array', items: schema },
        value: [value, value],
        written: [written, written],
        acceptsNull: false,
      })),
      fc.tuple(fields, fields, fc.boolean()).map(([one, two, isFirst]) => {
        const branches = [objectOf(one, 'one'), objectOf(two, 'two')] as const;
        const { value, written } = branches[isFirst ? 0 : 1];
        return { schema: { oneOf: branches.map(({ schema }) => schema) }, value, written, acceptsNull: false };
      }),
    ),
  };
});
void anySample;

/** Every object of a schema, wherever it stands. */
function* objectsIn(node: unknown): Generator<JsonSchema> {
  if (Array.isArray(node)) for (const element of node) yield* objectsIn(element);
  if (!isSchema(node)) return;
  if (isSchema(node['properties'])) {
    yield node;
    yield* objectsIn(Object.values(node['properties']));
  }
  yield* objectsIn(node['items']);
  yield* objectsIn(node['anyOf']);
}

describe('a schema in strict mode', () => {
  it('requires every field and no other, and gives back the absent ones', () => {
    fc.assert(
      fc.property(object, fc.boolean(), ({ schema, value, written }, isGenerated) => {
        const before = structuredClone(schema);
        const strict = strictSchema(schema, isGenerated, 'schema');
        for (const found of objectsIn(strict.jsonSchema)) {
          expect(found['additionalProperties']).toBe(false);
          expect(new Set(found['required'] as string[])).toEqual(new Set(Object.keys(found['properties'] as object)));
        }
        const text = JSON.stringify(strict.jsonSchema);
        expect(text).not.toContain('"oneOf"');
        expect(withoutAddedNulls(written, schema)).toEqual(value);
        if (!strict.addsNull) expect(written).toEqual(value);
        expect(schema).toEqual(before);
        // What is in strict mode already stays as it is.
        expect(strictSchema(strict.jsonSchema, isGenerated, 'schema').jsonSchema).toBe(strict.jsonSchema);
      }),
      { seed: 20_261_128, numRuns: 400 },
    );
  });
});
