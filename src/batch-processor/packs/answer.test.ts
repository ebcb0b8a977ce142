import { describe, expect, it } from 'vitest';
import { answerFacts, answerText, usageOf } from './answer.ts';
import { answerJson } from './pack-answer.ts';
import type { VisionChatCompletion } from './vision-target.ts';

const textOf = (content: unknown, reason: unknown = 'stop', message: object = {}) =>
  answerText({
    choices: [{ finish_reason: reason, message: { content, ...message } }],
  } as unknown as VisionChatCompletion);

describe('answerText', () => {
  it.each<[unknown, string]>([
    ['a cat', 'a cat'],
    [' a cat\n', ' a cat\n'],
    [
      [
        { type: 'text', text: 'a ' },
        { type: 'output_text', text: 'cat' },
      ],
      'a cat',
    ],
    [['a ', { text: 'cat' }, null, 5, { type: 'image', text: 'no' }], 'a cat'],
    [[{ type: 'TEXT', text: { value: 'a cat', annotations: [] } }], 'a cat'],
    [[{ type: 'text', content: 'a ' }, [{ type: 'text', text: 'cat' }]], 'a cat'],
    ['<think>x</think>a cat', 'a cat'],
    ['<THINK>x</Think>a cat', 'a cat'],
    ['<reasoning>x</reasoning>a cat', 'a cat'],
    ['[THINK]x[/THINK]a cat', 'a cat'],
    ['◁think▷x◁/think▷a cat', 'a cat'],
    ['\n<thinking>\nx\n</thinking>\n\na cat', 'a cat'],
    ['x</think>a cat', 'a cat'],
    ['<think>x</think><think>y</think>a cat', 'a cat'],
    // No thought: what stands in the picture.
    ['a sign that says <think> in red', 'a sign that says <think> in red'],
    ['1 < 2', '1 < 2'],
  ])('reads %j', (content, text) => {
    expect(textOf(content)).toBe(text);
  });

  it.each(['', '  ', null, undefined, {}, false])('takes the refusal %j beside a text for none', (refusal) => {
    expect(textOf('a cat', 'stop', { refusal })).toBe('a cat');
  });

  it.each([
    ['', 'stop', 'DESCRIBE_REFUSED', true],
    ['<think>x', 'stop', 'DESCRIBE_REFUSED', true],
    [null, 'end_turn', 'DESCRIBE_REFUSED', true],
    ['', null, 'DESCRIBE_RESPONSE_INVALID', true],
    ['', 'tool_calls', 'DESCRIBE_RESPONSE_INVALID', true],
    [' ', 'length', 'DESCRIBE_OUTPUT_TRUNCATED', true],
    ['a c', 'length', 'DESCRIBE_OUTPUT_TRUNCATED', false],
    ['a c', 'MAX_TOKENS', 'DESCRIBE_OUTPUT_TRUNCATED', false],
    ['a c', 'content_filter', 'DESCRIBE_REFUSED', false],
    ['', 'SAFETY', 'DESCRIBE_REFUSED', false],
    ['a c', 'error', 'DESCRIBE_RESPONSE_INVALID', true],
    [[[[[['a cat']]]]], 'stop', 'DESCRIBE_REFUSED', true],
    ['', 'content_filter: PROHIBITED_CONTENT', 'DESCRIBE_REFUSED', false],
  ])('of %j that ended with %j is %s', (content, reason, code, retryable) => {
    expect(() => textOf(content, reason)).toThrow(expect.objectContaining({ code, retryable }));
  });

  it.each([
    ['a choice without a message', { choices: [{ finish_reason: 'content_filter' }] }],
    [
      'a prompt that a filter stopped',
      { choices: [], prompt_filter_results: [{ content_filter_results: { violence: { filtered: true } } }] },
    ],
  ])('takes %s for a refusal', (_name, completion) => {
    expect(() => answerText(completion as unknown as VisionChatCompletion)).toThrow(
      expect.objectContaining({ code: 'DESCRIBE_REFUSED', retryable: false }),
    );
  });

  it('reads a long text of opening tags in one go', () => {
    expect(textOf(`${'<think>'.repeat(200_000)}</think>a cat`)).toBe('a cat');
  });
});

describe('answerJson', () => {
  it.each([
    ['{"a":1}'],
    [' {"a":1}\n'],
    ['```json\n{"a":1}\n```'],
    ['```\n{"a":1}\n```'],
    ['```JSON {"a":1}```'],
    ['Here:\n```json\n{"a":1}\n```\nDone.'],
    ['```json\n{"a":1}'],
    ['Here is the JSON: {"a":1} Hope it helps.'],
    ['{"a":1}\n\nThat is all.'],
    ['`{"a":1}`'],
    ['~~~json\n{ "a":1 }\n~~~'],
    ['````json title="x"\n{"a":1}\n````'],
    ['\ufeff{"a":1}'],
    ['```\nhi\n```\n```json\n{"a":1}\n```'],
  ])('unwraps %j', (text) => {
    expect(answerJson(text)).toEqual({ a: 1 });
  });

  it('keeps a fence inside of the JSON', () => {
    const json = { text: 'a sign: ```js\nx```' };
    expect(answerJson(JSON.stringify(json))).toEqual(json);
    expect(answerJson(`\`\`\`json\n${JSON.stringify(json)}\n\`\`\``)).toEqual(json);
  });

  it.each(['', 'a cat', '```', '```json\nnope\n```', '{"a":', 'seen [1] {twice}', '{"a":1} {"b":2}'])(
    'finds none in %j',
    (text) => {
      expect(answerJson(text)).toBeUndefined();
    },
  );
});

describe('usageOf', () => {
  const usage = (details: object | undefined) =>
    usageOf({
      usage: {
        prompt_tokens: 2_000,
        completion_tokens: 5,
        total_tokens: 2_005,
        prompt_tokens_details: details,
      },
    } as Parameters<typeof usageOf>[0]);

  it('tells what came from the prompt cache, where the API does', () => {
    const plain = { promptTokens: 2_000, completionTokens: 5, totalTokens: 2_005 };
    expect(usage({ cached_tokens: 1_920 })).toEqual({ ...plain, cachedPromptTokens: 1_920 });
    for (const details of [undefined, null, {}, { cached_tokens: 0 }, { cached_tokens: null }]) {
      expect(usage(details as object), JSON.stringify(details)).toEqual(plain);
    }
    for (const cached_tokens of ['12', 2.5, -3]) expect(usage({ cached_tokens }), String(cached_tokens)).toEqual(plain);
    expect(usage({ cached_tokens: 9_999 })).toEqual({ ...plain, cachedPromptTokens: 2_000 });
  });

  it.each([
    undefined,
    null,
    '',
    'text',
    [],
    {},
    { usage: null },
    { usage: 'x' },
    { usage: { prompt_tokens: 'x' } },
    { usage: { prompt_tokens: 10.5, completion_tokens: 1 } },
  ])('is not there where an answer is %j', (completion) => {
    expect(usageOf(completion as Parameters<typeof usageOf>[0])).toBeUndefined();
  });

  it('adds up what a compatible server does not, or not right', () => {
    for (const total_tokens of [undefined, 0, 6, 7.5]) {
      const completion = { usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens } };
      expect(usageOf(completion as Parameters<typeof usageOf>[0])).toEqual({
        promptTokens: 5,
        completionTokens: 2,
        totalTokens: 7,
      });
    }
  });
});

it.each([
  ['gpt-4.1-mini-2025-04-14', 'gpt-4.1-mini-2025-04-14'],
  ['m'.repeat(256), 'm'.repeat(256)],
  ['m'.repeat(257), 'asked'],
  ['', 'asked'],
  [null, 'asked'],
  [5, 'asked'],
])('the model of an answer that names %j is %j', (model, expected) => {
  expect(answerFacts({ model } as unknown as VisionChatCompletion, 'asked').model).toBe(expected);
});
