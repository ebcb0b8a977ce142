import { describe, expect, it } from 'vitest';
import { parseExposition } from './strict-exposition-parser.fixture.ts';

const HEAD = '# HELP a_total a\n# TYPE a_total counter\n';
const HISTOGRAM = '# HELP h h\n# TYPE h histogram\n';

const REJECTED = [
  ['a last line without an end', `${HEAD}a_total 1`],
  ['a sample without a family', 'a_total 1\n'],
  ['a family without HELP', '# TYPE a_total counter\na_total 1\n'],
  ['a second HELP', `${HEAD}# HELP a_total a\n`],
  ['a second TYPE', `${HEAD}# TYPE a_total counter\n`],
  ['a doubled series', `${HEAD}a_total{x="1",y="2"} 1\na_total{y="2",x="1"} 1\n`],
  ['a doubled label', `${HEAD}a_total{x="1",x="2"} 1\n`],
  ['an unquoted label', `${HEAD}a_total{x=1} 1\n`],
  ['a line break in a label', `${HEAD}a_total{x="1\n2"} 1\n`],
  ['an unknown escape', `${HEAD}a_total{x="\\t"} 1\n`],
  ['a value that is no number', `${HEAD}a_total one\n`],
  ['a counter without _total', '# HELP a a\n# TYPE a counter\na 1\n'],
  ['a gauge with _total', '# HELP a_total a\n# TYPE a_total gauge\na_total 1\n'],
  ['milliseconds', '# HELP a_milliseconds a\n# TYPE a_milliseconds gauge\na_milliseconds 1\n'],
  ['le outside of a histogram', '# HELP a a\n# TYPE a gauge\na{le="1"} 1\n'],
  ['buckets that shrink', `${HISTOGRAM}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`],
  ['a histogram without +Inf', `${HISTOGRAM}h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n`],
  ['a count that is not the last bucket', `${HISTOGRAM}h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n`],
] as const;

describe('parseExposition', () => {
  it.each(REJECTED)('rejects %s', (_, text) => {
    expect(() => parseExposition(text)).toThrow();
  });

  it('reads labels with escapes, and every form of a number', () => {
    const families = parseExposition(`${HEAD}a_total{x="q\\"b\\\\n\\n"} 1e+21\n\na_total{x=""} .5\n`);
    expect(families.get('a_total')).toEqual({
      help: 'a',
      type: 'counter',
      samples: [
        { name: 'a_total', labels: { x: 'q"b\\n\n' }, value: 1e21 },
        { name: 'a_total', labels: { x: '' }, value: 0.5 },
      ],
    });
  });
});
