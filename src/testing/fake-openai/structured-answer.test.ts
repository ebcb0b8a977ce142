import { describe, expect, it } from 'vitest';
import { readImageFacts } from './image-facts.ts';
import { readImageLabel } from './image-label.ts';
import { answerBySchema } from './structured-answer.ts';
import { createTestImage } from './test-image.ts';
import type { SeenImage } from './vision-request.ts';

const image = (seed: number, label: string): SeenImage => ({
  facts: readImageFacts(createTestImage({ seed, width: 10 + seed, height: 5 })),
  detail: 'low',
  label,
});
const images = [image(1, 'Image id: q1w2'), image(2, 'Image id: e3r4')];
const [first, second] = images.map(({ facts }) => facts.text);
const object = (properties: object) => ({ type: 'object', properties });
const fill = (schema: object, of = images) =>
  answerBySchema(schema as Readonly<Record<string, unknown>>, of, 'prompt').value;

describe('answerBySchema', () => {
  it('makes an item an image, in the order sent, with its id', () => {
    const item = object({ id: { type: 'string' }, description: { type: 'string' } });
    expect(fill(object({ items: { type: 'array', items: item } }))).toEqual({
      items: [
        { id: 'q1w2', description: first },
        { id: 'e3r4', description: second },
      ],
    });
  });

  it('follows references, unions and nested objects', () => {
    const schema = {
      ...object({ results: { type: 'array', items: { $ref: '#/$defs/item' } } }),
      $defs: {
        item: object({
          image_id: { type: 'string' },
          data: object({
            caption: { anyOf: [{ type: 'null' }, { type: 'string' }] },
            width: { type: 'integer' },
            index: { type: 'integer' },
            score: { type: 'number', minimum: 0.5 },
            kind: { enum: ['photo', 'drawing'] },
            sharp: { type: ['boolean', 'null'] },
            version: { const: 2 },
            tags: { type: 'array', items: { type: 'string' } },
          }),
        }),
      },
    };
    expect(fill(schema)).toEqual({
      results: [first, second].map((text, index) => ({
        image_id: ['q1w2', 'e3r4'][index],
        data: {
          caption: text,
          width: 11 + index,
          index,
          score: 0.5,
          kind: 'photo',
          sharp: true,
          version: 2,
          tags: [text],
        },
      })),
    });
  });

  it('describes all images where no array is asked for', () => {
    expect(fill(object({ description: { type: 'string' } }))).toEqual({ description: `${first}\n${second}` });
    expect(fill(object({ id: { type: 'string' }, tags: { type: 'array', items: { type: 'string' } } }), [])).toEqual({
      id: 'No image was sent, only 6 characters of text.',
      tags: [],
    });
  });

  it('ends for a schema that contains itself', () => {
    const node = { type: 'object', properties: { child: { $ref: '#' } } };
    expect(JSON.stringify(fill(node)).length).toBeLessThan(2000);
    expect(fill({ $ref: '#' })).toBe(`${first}\n${second}`);
  });
});

describe('readImageLabel', () => {
  it.each([
    ['Image id: q1w2', 'q1w2'],
    ['id=abc-9', 'abc-9'],
    ['{"id":"zz"}', 'zz'],
    ['Image 3:', '3'],
    ['k7', 'k7'],
    ['The next picture is [m4x]', 'm4x'],
    ['', undefined],
  ])('reads %j as %s', (text, label) => {
    expect(readImageLabel(text)).toBe(label);
  });
});
