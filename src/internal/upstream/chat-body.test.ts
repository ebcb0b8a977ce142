import { describe, expect, it } from 'vitest';
import { AnswerError, chatCompletionIn } from './chat-body.ts';

const chosen = { choices: [{ message: { content: 'a cat' } }] };

const failureOf = (data: unknown, status?: number): AnswerError => {
  try {
    chatCompletionIn(data, {
      ...(status === undefined ? {} : { status }),
      headers: { 'x-request-id': 'req_1' },
    });
  } catch (error) {
    if (error instanceof AnswerError) return error;
  }
  throw new Error('it did not fail');
};

describe('chatCompletionIn', () => {
  it.each([
    ['an object', chosen],
    ['text', JSON.stringify(chosen)],
    ['text after a byte order mark', `\ufeff${JSON.stringify(chosen)}`],
    ['an object with a null error', { ...chosen, error: null }],
    ['an object with an error beside its text', { ...chosen, error: { message: 'late' } }],
  ])('gives the completion in %s', (_form, data) => {
    expect(chatCompletionIn(data)).toMatchObject(chosen);
  });

  it('gives back the very object, which may carry the id of its request', () => {
    expect(chatCompletionIn(chosen)).toBe(chosen);
  });

  it.each([null, 5, true, [], {}, { choices: [] }, { choices: null }, { choices: [null] }, 'null', '"text"'])(
    'leaves it to its reader that there are no choices: %j',
    (data) => {
      expect(chatCompletionIn<{ readonly choices?: unknown }>(data).choices?.toString() ?? '').toBe('');
    },
  );

  it.each<[unknown, number]>([
    [{ error: { code: 402, message: 'no' } }, 402],
    [{ error: { code: '429', message: 'no' } }, 429],
    [{ error: { status: 503, message: 'no' } }, 503],
    [{ error: { type: 'rate_limit_error', message: 'no' } }, 429],
    [{ error: { code: 'RESOURCE_EXHAUSTED', message: 'no' } }, 429],
    [{ error: { type: 'overloaded_error', message: 'no' } }, 503],
    [{ error: { type: 'authentication_error', message: 'no' } }, 401],
    [{ error: { code: 'internal_error', message: 'no' } }, 500],
    [[{ error: { code: 400, message: 'no' } }], 400],
    [{ choices: [{ error: { code: 502, message: 'no' }, message: { content: '' } }] }, 502],
    [{ choices: [{ message: {} }], error: { code: 500, message: 'no' } }, 500],
    [
      {
        choices: [{ finish_reason: 'error', error: { code: 502, message: 'no' }, message: { content: 'a c' } }],
      },
      502,
    ],
    // A choice shows that the address is right: what broke it off is a failure of the server.
    [{ choices: [{ finish_reason: 'error', error: 'no', message: { content: 'a c' } }] }, 500],
    [{ choices: [{ finish_reason: 'error', error: { message: 'no' }, message: { content: '' } }] }, 500],
    [{ choices: [{ message: { content: '' }, error: { code: 'invalid_prompt', message: 'no' } }] }, 400],
    [{ error: { code: 'overloaded', message: 'no' } }, 503],
    [{ error: 'no' }, 200],
    [{ error: { code: 7, message: 'no' } }, 200],
    [{ detail: 'no' }, 200],
    [{ message: 'no', statusCode: 404 }, 404],
  ])('throws the error of %j with status %i', (data, status) => {
    expect(failureOf(data)).toMatchObject({ status, message: 'no', requestID: 'req_1' });
    expect(failureOf(JSON.stringify(data)).status).toBe(status);
  });

  it.each(['<html>', '', '{"id":', undefined])('throws what is no JSON: %j', (data) => {
    const failure = failureOf(data, 203);
    expect(failure).toMatchObject({ status: 203, error: undefined });
    expect(failureOf('x'.repeat(1e6)).message.length).toBeLessThan(3_000);
  });
});

describe('a stream of events that nobody asked for', () => {
  const stream = (...chunks: readonly unknown[]) =>
    `${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')}data: [DONE]\n\n`;
  const part = (content: string) => ({ id: 'c1', model: 'm', choices: [{ index: 0, delta: { content } }] });
  const end = { id: 'c1', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };

  it('is joined when it has an end', () => {
    const usage = { prompt_tokens: 10, completion_tokens: 5 };
    const message = { role: 'assistant', content: 'A red square.', refusal: '' };
    expect(chatCompletionIn(stream(part('A red '), part('square.'), end, { choices: [], usage }))).toEqual({
      id: 'c1',
      model: 'm',
      usage,
      choices: [{ index: 0, finish_reason: 'stop', message }],
    });
  });

  it('gives a whole completion, and throws an error, that came as an event', () => {
    const whole = { choices: [{ message: { content: 'A red square.' } }] };
    expect(chatCompletionIn(stream(whole))).toEqual(whole);
    const error = { error: { code: 402, message: 'no' } };
    expect(failureOf(`: PROCESSING\r\n\r\n${stream(part('A'), error)}`)).toMatchObject({ status: 402, message: 'no' });
  });

  it.each([
    ['{"message":"the GPU is gone","code":503}', 503, 'the GPU is gone'],
    ['"the GPU is gone"', 500, '"the GPU is gone"'],
    ['the GPU is gone', 500, 'the GPU is gone'],
  ])('throws the error of an event that is named one: %s', (data, status, message) => {
    const text = `data: ${JSON.stringify(part('A'))}\n\nevent: error\ndata: ${data}\n\n`;
    expect(failureOf(text)).toMatchObject({ status, message });
  });

  it.each<[string, (text: string) => string]>([
    ['a byte order mark', (text) => `\ufeff${text}`],
    ['CR as line ends', (text) => text.replaceAll('\n', '\r')],
    ['no blank lines', (text) => text.replaceAll('\n\n', '\n')],
    ['lists of events', (text) => text.replace(/data: ({.*})/g, 'data: [$1]')],
  ])('may have %s', (_quirk, change) => {
    const text = change(stream(part('A red '), part('square.'), end));
    expect(chatCompletionIn(text)).toMatchObject({ choices: [{ message: { content: 'A red square.' } }] });
  });

  it('ends with its mark', () => {
    const text = `${stream(part('A red square.'), end)}${stream(part('More.'), { error: { code: 500, message: 'no' } })}`;
    expect(chatCompletionIn(text)).toMatchObject({ choices: [{ message: { content: 'A red square.' } }] });
  });

  it.each([
    ['has no end', stream(part('A red '))],
    ['breaks off', `data: ${JSON.stringify(part('A'))}\n\ndata: {"choi`],
    ['holds nothing', 'data: [DONE]'],
    ['is something else', 'A text: not a stream'],
    ['is a page', '<html>'],
  ])('is not JSON when it %s', (_what, text) => {
    expect(failureOf(text)).toMatchObject({ status: 200, error: undefined });
  });
});
