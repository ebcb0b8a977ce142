import { describe, expect, it } from 'vitest';
import { extraBodyCheck } from './extra-body.ts';

const issuesOf = (value: unknown) => extraBodyCheck()(value, 'extraBody');

describe('extraBodyCheck', () => {
  it.each([
    [{ top_p: 0.5, nested: { model: 'a' } }],
    [Object.assign(Object.create(null), { seed: 1 })],
    [{}],
    [undefined],
  ])('takes %j', (value) => {
    expect(issuesOf(value)).toEqual([]);
  });

  it('takes no field that the SDK owns, however it is set', () => {
    expect(issuesOf({ stream: true })).toMatchObject([{ option: 'extraBody.stream' }]);
    expect(issuesOf({ toJSON: () => ({ stream: true }) })).toMatchObject([{ option: 'extraBody' }]);
    expect(issuesOf(Object.create({ stream: true }))).toMatchObject([{ option: 'extraBody' }]);
  });

  it.each([[new Map([['a', 1]])], [new Date(0)], [[]], [null], ['text'], [{ big: 1n }]])('takes no %o', (value) => {
    expect(issuesOf(value)).toHaveLength(1);
  });
});
