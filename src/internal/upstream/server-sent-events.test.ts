import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServerSentEvents } from './server-sent-events.ts';

/** The events of a stream that arrives in these chunks, each as its name and data. */
function eventsOf(...chunks: readonly (string | Buffer)[]): [string, string][] {
  const events: [string, string][] = [];
  const parser = new ServerSentEvents((data, name) => events.push([name, data]));
  for (const chunk of chunks) parser.push(Buffer.from(chunk));
  parser.end();
  return events;
}

describe('server-sent events', () => {
  it.each<[string, string, [string, string][]]>([
    [
      'line feeds',
      'data: a\n\ndata: b\n\n',
      [
        ['', 'a'],
        ['', 'b'],
      ],
    ],
    [
      'carriage returns with line feeds',
      'data: a\r\n\r\ndata: b\r\n\r\n',
      [
        ['', 'a'],
        ['', 'b'],
      ],
    ],
    [
      'carriage returns',
      'data: a\r\rdata: b\r\r',
      [
        ['', 'a'],
        ['', 'b'],
      ],
    ],
    ['a byte order mark', '\ufeffdata: a\n\n', [['', 'a']]],
    ['comments', ': ping\n\n:\n\ndata: a\n: in between\n\n', [['', 'a']]],
    ['data of several lines', 'data: a\ndata:\ndata: b\n\n', [['', 'a\n\nb']]],
    [
      'one space after the colon, no more',
      'data:  a\n\ndata:b\n\n',
      [
        ['', ' a'],
        ['', 'b'],
      ],
    ],
    [
      'names',
      'event: error\ndata: a\n\ndata: b\n\n',
      [
        ['error', 'a'],
        ['', 'b'],
      ],
    ],
    ['a name without data', 'event: ping\n\ndata: a\n\n', [['', 'a']]],
    ['other fields', 'id: 1\nretry: 5\nnonsense\ndata: a\n\n', [['', 'a']]],
    [
      'empty data',
      'data\n\ndata:\n\n',
      [
        ['', ''],
        ['', ''],
      ],
    ],
    [
      'no blank line at the end',
      'data: a\n\ndata: b\n',
      [
        ['', 'a'],
        ['', 'b'],
      ],
    ],
    [
      'no line end at the end',
      'data: a\n\ndata: b',
      [
        ['', 'a'],
        ['', 'b'],
      ],
    ],
    ['nothing', '', []],
  ])('are parsed with %s', (_what, text, expected) => {
    expect(eventsOf(text)).toEqual(expected);
  });

  it('are the same however the bytes are cut', () => {
    const line = fc.oneof(
      fc.constantFrom('', ':', ': ping', 'event: x', 'data:', 'data: é🐈\u2028', 'id: 7'),
      fc.string({ unit: 'grapheme' }).map((text) => `data: ${text.replace(/[\r\n]/g, '')}`),
    );
    const stream = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')));
    fc.assert(
      fc.property(stream, fc.array(fc.nat(200), { maxLength: 20 }), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((pair) => pair.join('')).join(''));
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(eventsOf(...chunks)).toEqual(eventsOf(bytes));
        expect(eventsOf(...Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(eventsOf(bytes));
      }),
      { seed: 15 },
    );
  });

  it('are refused when a line has no end', () => {
    const parser = new ServerSentEvents(() => {}, 100);
    parser.push(Buffer.from(`data: ${'x'.repeat(90)}\n`));
    parser.push(Buffer.alloc(100, 'x'));
    expect(() => parser.push(Buffer.from('x'))).toThrow('longer than 100 bytes');
  });
});
