import { describe, expect, it } from 'vitest';
import { errorBodyOf } from './error-body.ts';

describe('errorBodyOf', () => {
  it.each<[string, unknown, unknown]>([
    [
      'OpenAI',
      { error: { message: 'no', type: 'invalid_request_error', param: 'model', code: 'model_not_found' } },
      { message: 'no', type: 'invalid_request_error', param: 'model', code: 'model_not_found' },
    ],
    [
      'OpenRouter',
      { error: { code: 402, message: 'Insufficient credits' }, user_id: 'u' },
      { code: '402', status: 402, message: 'Insufficient credits' },
    ],
    [
      'OpenRouter, moderation',
      {
        error: {
          code: 403,
          message: 'flagged',
          metadata: { reasons: ['violence'], flagged_input: 'secret' },
        },
      },
      { code: '403', status: 403, message: 'flagged', isModeration: true },
    ],
    [
      'Azure',
      { error: { code: 'BadRequest', message: 'm', innererror: { code: 'ResponsibleAIPolicyViolation' } } },
      { code: 'BadRequest', message: 'm', innerCode: 'ResponsibleAIPolicyViolation' },
    ],
    [
      'Azure, written otherwise',
      { error: { message: 'm', inner_error: { code: 'ResponsibleAIPolicyViolation' } } },
      { message: 'm', innerCode: 'ResponsibleAIPolicyViolation' },
    ],
    [
      'OpenRouter, what its provider said',
      {
        error: {
          code: 400,
          message: 'Provider returned error',
          metadata: { raw: '{"error":{"code":"context_length_exceeded","message":"too long"}}' },
        },
      },
      {
        code: '400',
        status: 400,
        innerCode: 'context_length_exceeded',
        message: 'Provider returned error: too long',
      },
    ],
    [
      'OpenRouter, what its provider said in words',
      { error: { code: 429, message: 'Provider returned error', metadata: { raw: 'slow down' } } },
      { code: '429', status: 429, message: 'Provider returned error: slow down' },
    ],
    ['Azure gateway', { statusCode: 401, message: 'Access denied' }, { status: 401, message: 'Access denied' }],
    [
      'vLLM',
      { object: 'error', message: 'too long', type: 'BadRequestError', param: null, code: 400 },
      { message: 'too long', type: 'BadRequestError', code: '400', status: 400 },
    ],
    ['LM Studio, Ollama', { error: 'invalid image input' }, { message: 'invalid image input' }],
    [
      'FastAPI',
      { detail: [{ loc: ['body', 'store'], msg: 'extra', type: 'value_error', input: 'secret' }] },
      { message: 'body.store: extra' },
    ],
    ['FastAPI, text', { detail: 'Not Found' }, { message: 'Not Found' }],
    [
      'Mistral',
      { object: 'error', message: { detail: [{ loc: ['body'], msg: 'extra', input: 'secret' }] }, type: 't' },
      { message: 'body: extra', type: 't' },
    ],
    [
      'Gemini',
      [{ error: { code: 400, message: 'bad', status: 'INVALID_ARGUMENT' } }],
      { code: '400', status: 400, type: 'INVALID_ARGUMENT', message: 'bad' },
    ],
    [
      'Cloudflare',
      { success: false, errors: [{ code: 7003, message: 'no route' }] },
      { code: '7003', message: 'no route' },
    ],
    ['texts in a list', { errors: ['first', 'second'] }, { message: 'first' }],
    ['a problem (RFC 9457)', { type: 'about:blank', title: 'Gone', status: 410 }, { message: 'Gone', status: 410 }],
  ])('reads the error of %s', (_server, body, expected) => {
    expect(errorBodyOf(body)).toEqual(expected);
  });

  it.each([undefined, null, '', 'text', 5, [], {}, { choices: [] }, { error: null }, { error: '' }, { error: {} }])(
    'finds none in %j',
    (body) => {
      expect(errorBodyOf(body)).toBeUndefined();
    },
  );

  it('reads own fields of plain objects only', () => {
    class Foreign {
      error = { message: 'of a class' };
    }
    expect(errorBodyOf(new Foreign())).toBeUndefined();
    expect(errorBodyOf(Object.create({ error: { message: 'inherited' } }))).toBeUndefined();
    expect(errorBodyOf(JSON.parse('{"__proto__": {"error": {"message": "planted"}}}'))).toBeUndefined();
  });

  it('cuts a long message, drops what is no code, and ends with errors in errors', () => {
    expect(errorBodyOf({ error: { message: 'x'.repeat(1e6), code: 'y'.repeat(65), type: 'a b' } })).toEqual({
      message: 'x'.repeat(2_000),
    });
    let body: unknown = { message: 'deep' };
    for (let depth = 0; depth < 1_000; depth += 1) body = { error: body };
    expect(errorBodyOf(body)).toBeUndefined();
  });
});
