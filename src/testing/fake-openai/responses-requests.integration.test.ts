import { describe, expect, it } from 'vitest';
import { input, RESPONSES, useStrictFake } from './strict-fake.fixture.ts';
import { clientOf, imageUrl, post } from './test-clients.ts';

const server = useStrictFake();

describe('Responses requests that are wrong', () => {
  const text = { type: 'input_text', text: 'hi' };
  const rows: [string, object, Record<string, unknown>][] = [
    ['no input', { model: 'gpt-4o' }, { param: 'input', code: 'missing_required_parameter' }],
    ['an unknown parameter', { ...input(text), max_tokens: 50 }, { param: 'max_tokens', code: 'unknown_parameter' }],
    [
      'too few output tokens',
      { ...input(text), max_output_tokens: 15 },
      { param: 'max_output_tokens', code: 'integer_below_min_value' },
    ],
    [
      'a part of chat',
      input({ type: 'text', text: 'x' }),
      { param: 'input[0].content[0].type', code: 'invalid_value' },
    ],
    ['an image object', input({ type: 'input_image', image_url: { url: imageUrl() } }), { code: 'invalid_type' }],
    [
      'an image without a source',
      input({ type: 'input_image', detail: 'low' }),
      { code: 'missing_required_parameter' },
    ],
    ['an unknown file', input({ type: 'input_image', file_id: 'file-1' }), { param: 'input[0].content[0].file_id' }],
    [
      'detail original on an older model',
      input({ type: 'input_image', image_url: imageUrl(), detail: 'original' }),
      { param: 'input[0].content[0].detail', code: 'invalid_value' },
    ],
    [
      'a strict schema that is open',
      {
        ...input(text),
        text: {
          format: {
            type: 'json_schema',
            name: 'x',
            strict: true,
            schema: { type: 'object', properties: {} },
          },
        },
      },
      { code: 'invalid_json_schema' },
    ],
    [
      'a response that was never stored',
      { ...input(text), previous_response_id: 'resp_1' },
      { param: 'previous_response_id', code: 'previous_response_not_found' },
    ],
    ['an unknown truncation', { ...input(text), truncation: 'some' }, { param: 'truncation' }],
    ['store that is no boolean', { ...input(text), store: 'no' }, { param: 'store', code: 'invalid_type' }],
    [
      'a schema nested as in chat',
      { ...input(text), text: { format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } } } },
      { param: 'text.format.name', code: 'missing_required_parameter' },
    ],
    ['an unknown field of text', { ...input(text), text: { style: 'short' } }, { param: 'text.style' }],
    [
      'a verbosity that an older model lacks',
      { ...input(text), text: { verbosity: 'low' } },
      { param: 'text.verbosity', code: 'unsupported_value' },
    ],
    [
      'an effort for a model without reasoning',
      { ...input(text), reasoning: { effort: 'low' } },
      { param: 'reasoning.effort', code: 'unsupported_parameter' },
    ],
    [
      'a summary for a model without reasoning',
      { ...input(text), reasoning: { summary: 'auto' } },
      { param: 'reasoning.summary', code: 'unsupported_parameter' },
    ],
    [
      'the effort of chat',
      { ...input(text), model: 'o3', reasoning_effort: 'low' },
      { param: 'reasoning_effort', code: 'unknown_parameter' },
    ],
    [
      'an effort that no model has',
      { ...input(text), model: 'o3', reasoning: { effort: 'ultra' } },
      { param: 'reasoning.effort', code: 'invalid_value' },
    ],
    [
      'an unknown field of reasoning',
      { ...input(text), model: 'o3', reasoning: { budget: 1 } },
      { param: 'reasoning.budget', code: 'unknown_parameter' },
    ],
    ['stream options without a stream', { ...input(text), stream_options: {} }, { param: 'stream_options' }],
    [
      'the stream options of chat',
      { ...input(text), stream: true, stream_options: { include_usage: true } },
      { param: 'stream_options.include_usage', code: 'unknown_parameter' },
    ],
    ['an unknown include', { ...input(text), include: ['usage'] }, { param: 'include[0]', code: 'invalid_value' }],
  ];

  it.each(rows)('%s', async (_, body, error) => {
    const answer = await post(server(), RESPONSES, body);
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({ type: 'invalid_request_error', ...error });
  });

  it('takes original where the model does, a string, instructions and a schema', async () => {
    const original = {
      ...input({ type: 'input_image', image_url: imageUrl(), detail: 'original' }),
      model: 'gpt-5.4',
    };
    expect((await post(server(), RESPONSES, original)).status).toBe(200);
    const response = await clientOf(server()).responses.create({
      model: 'gpt-4.1-mini',
      input: 'hello',
      instructions: 'Answer in JSON.',
      store: false,
      text: {
        format: {
          type: 'json_schema',
          name: 'x',
          strict: true,
          schema: {
            type: 'object',
            properties: { a: { type: 'string' } },
            required: ['a'],
            additionalProperties: false,
          },
        },
      },
    });
    expect(JSON.parse(response.output_text)).toEqual({ a: expect.any(String) });
    expect(response).toMatchObject({ store: false });
  });
});
