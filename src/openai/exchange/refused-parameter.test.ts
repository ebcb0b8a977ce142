import { describe, expect, it } from 'vitest';
import { type RefusableParameter, refusedParameter } from './refused-parameter.ts';

const SENT: readonly RefusableParameter[] = ['max_completion_tokens', 'store', 'temperature', 'detail'];

const openai = (message: string, fields: object = {}) => ({
  message,
  type: 'invalid_request_error',
  ...fields,
});
const extra = (...loc: readonly (string | number)[]) => ({
  detail: [{ type: 'extra_forbidden', loc, msg: 'Extra inputs are not permitted', input: false }],
});

describe('a parameter that is refused by name', () => {
  it.each<[string, number, unknown, RefusableParameter]>([
    [
      'OpenAI, unsupported_parameter',
      400,
      openai(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        { param: 'max_tokens', code: 'unsupported_parameter' },
      ),
      'max_tokens',
    ],
    [
      'OpenAI, unsupported_value',
      400,
      openai(
        "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
        { param: 'temperature', code: 'unsupported_value' },
      ),
      'temperature',
    ],
    [
      'Cerebras, whose param names no parameter',
      400,
      openai("property 'body.store' is unsupported", { param: 'validation_error' }),
      'store',
    ],
    [
      'Qwen, a status in brackets',
      400,
      openai('<400> InternalError.Algo.InvalidParameter: store is not supported'),
      'store',
    ],
    ['Azure', 400, openai('Unrecognized request argument supplied: store', { param: null }), 'store'],
    [
      'Azure, several',
      400,
      openai('Unrecognized request arguments supplied: max_completion_tokens, store'),
      'max_completion_tokens',
    ],
    [
      'OpenAI, a path',
      400,
      openai('Unknown parameter.', {
        param: 'messages[0].content[1].image_url.detail',
        code: 'unknown_parameter',
      }),
      'detail',
    ],
    ['Mistral', 422, { object: 'error', message: extra('body', 'store'), param: null, code: null }, 'store'],
    ['FastAPI', 422, extra('body', 'max_completion_tokens'), 'max_completion_tokens'],
    [
      'FastAPI with pydantic 1',
      422,
      { detail: [{ loc: ['body', 'store'], msg: 'extra fields not permitted', type: 'value_error.extra' }] },
      'store',
    ],
    ['a nested detail', 422, extra('body', 'messages', 0, 'user', 'content', 1, 'image_url', 'detail'), 'detail'],
    [
      'vLLM',
      400,
      {
        object: 'error',
        message:
          "[{'type': 'extra_forbidden', 'loc': ('body', 'store'), 'msg': 'Extra inputs are not permitted', 'input': False}]",
        type: 'BadRequestError',
        param: null,
        code: 400,
      },
      'store',
    ],
    [
      'Gemini',
      400,
      [
        {
          error: {
            code: 400,
            message: 'Invalid JSON payload received. Unknown name "store": Cannot find field.',
            status: 'INVALID_ARGUMENT',
          },
        },
      ],
      'store',
    ],
    ['Groq', 400, openai("property 'store' is unsupported"), 'store'],
    ['Fireworks', 400, openai("Extra inputs are not permitted, field: 'store', value: False"), 'store'],
    ['Anthropic', 400, openai('store: Extra inputs are not permitted'), 'store'],
    [
      'serde',
      422,
      { error: 'unknown field `store`, expected one of `model`, `messages`, `temperature` at line 1' },
      'store',
    ],
    ['Go', 400, { error: 'json: unknown field "max_completion_tokens"' }, 'max_completion_tokens'],
    ['JSON Schema', 400, openai("Additional properties are not allowed ('store' was unexpected)"), 'store'],
    ['Bedrock', 400, openai('#: extraneous key [store] is not permitted'), 'store'],
    ['LiteLLM', 400, openai("mistral does not support parameters: ['store'], for model=x"), 'store'],
    ['bare words', 400, openai('temperature is not supported with this model'), 'temperature'],
  ])('is found in an answer of %s', (_server, status, error, expected) => {
    const sent: RefusableParameter[] = expected === 'max_tokens' ? ['max_tokens', 'store'] : [...SENT];
    const { param } = error as { readonly param?: unknown };
    expect(refusedParameter({ status, error, param }, sent)).toBe(expected);
  });

  it('is found in the message alone, where a client kept no body', () => {
    expect(refusedParameter({ status: 400, message: "400 Unknown parameter: 'store'." }, SENT)).toBe('store');
  });

  it.each<[string, number, unknown]>([
    ['a value out of bounds', 400, openai('temperature must be between 0 and 2', { param: 'temperature' })],
    [
      'too many tokens',
      400,
      openai('max_completion_tokens is too large: 100000. This model supports at most 16384.', {
        param: 'max_completion_tokens',
        code: 'invalid_value',
      }),
    ],
    ['a parameter that was not sent', 400, openai('Unknown parameter.', { param: 'seed', code: 'unknown_parameter' })],
    ['a parameter named beside another', 400, openai("'seed' is not supported", { param: 'seed' })],
    ['an image', 400, openai('Unsupported image. For more detail see the guide', { code: 'invalid_image' })],
    ['a word in another sense', 400, openai('Unsupported image: the cache could not store it')],
    ['another status', 404, openai('Unknown parameter', { param: 'store', code: 'unknown_parameter' })],
    ['no text at all', 400, undefined],
    ['a body of another kind', 400, 'store'],
  ])('is not found in %s', (_what, status, error) => {
    expect(refusedParameter({ status, error }, SENT)).toBeUndefined();
  });

  it('is looked for in the beginning of a message only', () => {
    const message = `${'x'.repeat(200_000)} Unknown parameter: 'store'`;
    expect(refusedParameter({ status: 400, message }, SENT)).toBeUndefined();
  });

  it.each([undefined, null, 'text', 5])('is not found in %s', (error) => {
    expect(refusedParameter(error, SENT)).toBeUndefined();
  });
});
