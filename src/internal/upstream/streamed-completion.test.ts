import { describe, expect, it } from 'vitest';
import { streamedCompletion } from './streamed-completion.ts';

const stream = (...chunks: readonly unknown[]) =>
  `${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')}data: [DONE]\n\n`;
const part = (content: string) => ({ id: 'c1', model: 'm', choices: [{ index: 0, delta: { content } }] });
const end = { id: 'c1', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };

describe('streamedCompletion', () => {
  it('joins the pieces of a stream that ended', () => {
    const usage = { prompt_tokens: 10, completion_tokens: 5 };
    expect(streamedCompletion(stream(part('A red '), part('square.'), end, { choices: [], usage }))).toEqual({
      id: 'c1',
      model: 'm',
      usage,
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: { role: 'assistant', content: 'A red square.', refusal: '' },
        },
      ],
    });
  });

  it('gives a whole completion, and an error, that came as an event', () => {
    const whole = { choices: [{ message: { content: 'A red square.' } }] };
    expect(streamedCompletion(stream(whole))).toEqual(whole);
    const error = { error: { code: 402, message: 'no' } };
    expect(streamedCompletion(`: PROCESSING\r\n\r\n${stream(part('A'), error)}`)).toEqual(error);
  });

  it.each([
    ['has no end', stream(part('A red '))],
    ['breaks off', `data: ${JSON.stringify(part('A'))}\n\ndata: {"choi`],
    ['holds nothing', 'data: [DONE]'],
    ['is something else', 'A text: not a stream'],
    ['is a page', '<html>'],
  ])('gives nothing of a text that %s', (_what, text) => {
    expect(streamedCompletion(text)).toBeUndefined();
  });
});
