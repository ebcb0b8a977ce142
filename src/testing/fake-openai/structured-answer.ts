import { readImageLabel } from './image-label.ts';
import type { JsonSchema, SeenImage } from './vision-request.ts';

type SchemaObject = Readonly<Record<string, unknown>>;

/** The images that a value is made from: all of the request, or the one of the current item. */
interface Subject {
  readonly images: readonly SeenImage[];
  readonly image?: SeenImage;
  readonly index: number;
}

/** An answer and its items, so that a fault can change them. */
export interface StructuredAnswer {
  readonly value: unknown;
  /** The array that has one element for each image; absent when the schema has none. */
  readonly items?: unknown[];
}

/** Names of properties that take the id which the prompt gave to the image. */
const ID_NAME = /^(id|key|ref|label|token|name|(image|photo|item)[_-]?(id|key|ref|label))$/i;
/** Names of number properties that take the position of the image. */
const INDEX_NAME = /(^|_)(index|position|idx)$|Index$/;
const MAX_DEPTH = 32;

/**
 * Makes a value of a schema from the images. The first array becomes one element per image, in the order sent. Its id
 * is the one in the text before the image, and every other string is the image's facts.
 */
export function answerBySchema(schema: JsonSchema, images: readonly SeenImage[], text: string): StructuredAnswer {
  const filler = new SchemaFiller(schema, text);
  const value = filler.fill(schema, { images, index: 0 }, '', 0);
  return filler.items === undefined ? { value } : { value, items: filler.items };
}

class SchemaFiller {
  readonly #root: JsonSchema;
  readonly #text: string;
  items: unknown[] | undefined;

  constructor(root: JsonSchema, text: string) {
    this.#root = root;
    this.#text = text;
  }

  fill(given: unknown, subject: Subject, name: string, depth: number): unknown {
    const schema = this.#resolve(given);
    if (depth > MAX_DEPTH) return null;
    if (Object.hasOwn(schema, 'const')) return schema['const'];
    if (Array.isArray(schema['enum'])) return schema['enum'][0];
    const choices = schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf'];
    if (Array.isArray(choices)) {
      const choice = choices.find((entry) => typeOf(this.#resolve(entry)) !== 'null') ?? choices[0];
      return this.fill(choice, subject, name, depth + 1);
    }
    switch (typeOf(schema)) {
      case 'object':
        return this.#fillObject(schema, subject, depth);
      case 'array':
        return this.#fillArray(schema, subject, name, depth);
      case 'string':
        return this.#fillString(subject, name);
      case 'integer':
      case 'number':
        return fillNumber(schema, subject, name);
      case 'boolean':
        return true;
      default:
        return null;
    }
  }

  #fillObject(schema: SchemaObject, subject: Subject, depth: number): unknown {
    const properties = asObject(schema['properties']);
    return Object.fromEntries(
      Object.entries(properties).map(([name, inner]) => [name, this.fill(inner, subject, name, depth + 1)]),
    );
  }

  #fillArray(schema: SchemaObject, subject: Subject, name: string, depth: number): unknown[] {
    const inner = schema['items'] ?? {};
    if (subject.image !== undefined) return [this.fill(inner, subject, name, depth + 1)];
    const items = subject.images.map((image, index) =>
      this.fill(inner, { images: subject.images, image, index }, name, depth + 1),
    );
    this.items ??= items;
    return items;
  }

  #fillString({ images, image, index }: Subject, name: string): string {
    if (image === undefined) return describeAll(images, this.#text);
    if (ID_NAME.test(name)) return readImageLabel(image.label) ?? String(index + 1);
    return image.facts.text;
  }

  #resolve(given: unknown): SchemaObject {
    let schema = asObject(given);
    for (let hops = 0; typeof schema['$ref'] === 'string' && hops < MAX_DEPTH; hops += 1) {
      const steps = schema['$ref'].replace(/^#\/?/, '').split('/').filter(Boolean);
      schema = asObject(steps.reduce<unknown>((at, step) => asObject(at)[step], this.#root));
    }
    return schema;
  }
}

/** The text about the images where there is no schema: a line for each. */
export function describeAll(images: readonly SeenImage[], text: string): string {
  if (images.length > 0) return images.map(({ facts }) => facts.text).join('\n');
  return `No image was sent, only ${text.length} characters of text.`;
}

const asObject = (value: unknown): SchemaObject =>
  typeof value === 'object' && value !== null ? (value as SchemaObject) : {};

function typeOf(schema: SchemaObject): unknown {
  const { type } = schema;
  if (Array.isArray(type)) return type.find((entry) => entry !== 'null') ?? 'null';
  if (type !== undefined) return type;
  if (schema['properties'] !== undefined) return 'object';
  return schema['items'] === undefined ? 'string' : 'array';
}

function fillNumber(schema: SchemaObject, { image, index }: Subject, name: string): number {
  if (image !== undefined && name === 'width') return image.facts.width;
  if (image !== undefined && name === 'height') return image.facts.height;
  if (image !== undefined && INDEX_NAME.test(name)) return index;
  const minimum = schema['minimum'];
  return typeof minimum === 'number' ? minimum : 0;
}
