import { describe, expect, it } from 'vitest';
import type { JsonSchema } from './json-schema.ts';
import { strictLimitIssues } from './strict-limits.ts';

const listOf = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));
const text = { type: 'string' };
const objectOf = (properties: JsonSchema): JsonSchema => ({ type: 'object', properties });
const withFields = (count: number) => objectOf(Object.fromEntries(listOf(count, (index) => [`f${index}`, text])));
const nested = (levels: number): JsonSchema =>
  levels === 0 ? objectOf({ a: text }) : objectOf({ a: nested(levels - 1) });
const enumOf = (count: number, length: number): JsonSchema =>
  objectOf({ a: { type: 'string', enum: listOf(count, (index) => String(index).padStart(length, '0')) } });

describe("the limits of OpenAI's strict mode", () => {
  it.each<[string, JsonSchema, JsonSchema, RegExp]>([
    ['properties', withFields(5_000), withFields(5_001), /at most 5000 properties/],
    ['levels', nested(10), nested(11), /at most 10 levels/],
    [
      'levels through arrays',
      objectOf({ a: { type: 'array', items: nested(9) } }),
      objectOf({ a: { type: 'array', items: nested(10) } }),
      /at most 10 levels/,
    ],
    ['enum values', enumOf(1_000, 4), enumOf(1_001, 4), /at most 1000 values of enums/],
    [
      'characters of a large enum',
      enumOf(251, 59),
      enumOf(251, 60),
      /at most 15000 characters in an enum of over 250 values/,
    ],
    ['characters of a small enum', enumOf(250, 479), enumOf(250, 480), /at most 120000 characters/],
    [
      'characters of names',
      objectOf({ ['n'.repeat(120_000)]: text }),
      objectOf({ ['n'.repeat(120_001)]: text }),
      /at most 120000 characters/,
    ],
    [
      'characters of definitions',
      { ...objectOf({}), $defs: { ['n'.repeat(120_000)]: text } },
      { ...objectOf({}), $defs: { ['n'.repeat(120_001)]: text } },
      /at most 120000 characters/,
    ],
  ])('%s', (_, fits, breaks, reason) => {
    expect(strictLimitIssues(fits)).toEqual([]);
    const [issue, ...more] = strictLimitIssues(breaks);
    expect([issue?.option, issue?.expected, more]).toEqual(['schema', expect.stringMatching(reason), []]);
    expect(issue?.got).toContain('Structured outputs');
  });

  it('count what is in unions and definitions, and follow no reference in a circle', () => {
    const branches = { anyOf: [withFields(3_000), withFields(2_001)] };
    expect(strictLimitIssues(objectOf({ a: branches }))).toHaveLength(1);
    const circle = { ...objectOf({ a: { $ref: '#/$defs/a' } }), $defs: { a: objectOf({ a: { $ref: '#' } }) } };
    expect(strictLimitIssues(circle)).toEqual([]);
  });
});
