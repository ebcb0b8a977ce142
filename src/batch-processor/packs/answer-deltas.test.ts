import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DescribeError } from '../../errors/describe-error.ts';
import { deltaFilter, descriptionAsStreamed } from './answer-deltas.ts';
import { singleAnswer } from './pack-answer.ts';
import type { VisionChatCompletion } from './vision-target.ts';

const SEED = { seed: 15, numRuns: 500 };
const schema = { name: 's', jsonSchema: {} };

/** The description of a whole answer; undefined where it has none. */
function describedBy(content: string, isJson: boolean): string | undefined {
  const choice = { index: 0, finish_reason: 'stop', message: { role: 'assistant', content, refusal: null } };
  try {
    return singleAnswer({ choices: [choice] } as unknown as VisionChatCompletion, isJson ? schema : undefined)
      .description;
  } catch (error) {
    if (DescribeError.is(error)) return undefined;
    throw error;
  }
}

function streamed(pieces: readonly string[], isJson: boolean): string {
  const filter = deltaFilter(isJson);
  return pieces.map((piece) => filter.push(piece)).join('');
}

/** The text in pieces of any length. */
const inPieces = (text: string, cuts: readonly number[]): string[] => {
  const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  return at.slice(1).map((end, index) => text.slice(at[index], end));
};
const cuts = fc.array(fc.nat(1_000), { maxLength: 30 });

describe('the deltas of prose', () => {
  it.each([
    ['A cat.', 'A cat.'],
    ['  A cat.\n', '  A cat.\n'],
    ['<think>A dog? No.</think>\n\nA cat.', 'A cat.'],
    [' \n<THINKING>A dog?</Thinking> A cat.', 'A cat.'],
    ['◁think▷A dog?◁/think▷A cat.', 'A cat.'],
    ['[THINK]A dog?[/THINK]A cat.', 'A cat.'],
    ['<thin line', '<thin line'],
    ['[x] A cat.', '[x] A cat.'],
    ['A cat. <think>late</think>', 'A cat. <think>late</think>'],
    ['<think>without an end', ''],
  ])('of %j are %j, cut anywhere', (text, description) => {
    expect(streamed([...text], false)).toBe(description);
    expect(streamed([text], false)).toBe(description);
  });

  it('are a beginning of the description, whatever the answer', () => {
    const word = fc.oneof(
      fc.constantFrom('<think>', '</think>', '<Thought>', '</thought>', '[THINK]', '<', '[', '◁', ' ', '\n', 'İ'),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), cuts, (words, at) => {
        const text = words.join('');
        const deltas = streamed(inPieces(text, at), false);
        const description = describedBy(text, false) ?? '';
        // A closing tag without an opening one, or a second one, makes thoughts of what was delivered.
        const hidesThoughts = /<\/think>|<\/thought>/i.test(deltas);
        if (!hidesThoughts) expect(description.startsWith(deltas)).toBe(true);
        expect(streamed([...text], false)).toBe(deltas);
      }),
      SEED,
    );
  });

  it('keep any number of spaces at the beginning, in linear time', () => {
    const spaces = ' \n'.repeat(100_000);
    expect(streamed([...spaces, 'A cat.'], false)).toBe(`${spaces}A cat.`);
    expect(streamed([...spaces, '<think>A dog?</think> A cat.'], false)).toBe('A cat.');
  });

  it('hold back no more than a tag', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), (text) => {
        fc.pre(!/^\s*[<[◁]/.test(text) && text.trim() !== '');
        expect(streamed([text], false)).toBe(text);
      }),
      SEED,
    );
  });
});

describe('the deltas of JSON', () => {
  it.each([
    ['{"a": 1}', '{"a":1}'],
    ['\n{\n  "a": "x y",\r\n\t"b": [1, 2]\n}\n', '{"a":"x y","b":[1,2]}'],
    ['```json\n{"a": "```"}\n```', '{"a":"```"}'],
    ['```\n[{"a": "}"}]\n``` done', '[{"a":"}"}]'],
    ['{"a": "\\" {"} and more', '{"a":"\\" {"}'],
    ['Here is [the] answer: {"a": 1}', ''],
    ['"text"', ''],
    ['', ''],
  ])('of %j are %j, cut anywhere', (text, deltas) => {
    expect(streamed([...text], true)).toBe(deltas);
    expect(streamed([text], true)).toBe(deltas);
  });

  it('are the description, in any layout and fence', () => {
    const value = fc.oneof(fc.object({ maxDepth: 2 }), fc.array(fc.jsonValue({ maxDepth: 2 })));
    const fence = fc.constantFrom<readonly [string, string]>(
      ['', ''],
      ['```json\n', '\n```'],
      ['\n```\n', '```\n'],
      [' ', '\n'],
    );
    fc.assert(
      fc.property(value, fc.constantFrom(0, 1, 2, '\t'), fence, cuts, (given, space, [open, close], at) => {
        const json = JSON.stringify(given, undefined, space);
        const text = `${open}${json}${close}`;
        expect(streamed(inPieces(text, at), true)).toBe(describedBy(text, true));
      }),
      SEED,
    );
  });

  it('leave out any number of spaces at the beginning, in linear time', () => {
    const spaces = ' \n'.repeat(100_000);
    expect(streamed([...spaces, '{"a":1}'], true)).toBe('{"a":1}');
    expect(streamed(['```json', ...spaces, '{"a":1}', ...spaces, '```'], true)).toBe('{"a":1}');
  });

  it('are the description where they write the same data in another way', () => {
    const text = '{"size": 1.0, "name": "\\u00e9"}';
    const deltas = streamed([text], true);
    const usual = describedBy(text, true) ?? '';
    expect(usual).toBe('{"size":1,"name":"é"}');
    expect(descriptionAsStreamed(deltas, usual)).toBe('{"size":1.0,"name":"\\u00e9"}');
    expect(descriptionAsStreamed('{"size"', usual)).toBe(usual);
    expect(descriptionAsStreamed('{"size":2}', usual)).toBe(usual);
    expect(descriptionAsStreamed('no', usual)).toBe(usual);
  });
});
