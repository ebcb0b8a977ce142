import { inspect } from 'node:util';
import { APIConnectionError } from 'openai';
import { describe, expect, it } from 'vitest';
import type { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { classifyFailure } from './classify-failure.ts';
import { retryAfterMsOf } from './response-headers.ts';

const kindOf = (error: DescribeError) => failureMeaning(error).kind;

const apiError = (status: number, fields: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  Object.assign(new Error('Incorrect API key provided: sk-very-secret'), {
    status,
    headers: new Headers({ 'x-request-id': 'req_1', ...headers }),
    requestID: 'req_1',
    ...fields,
  });

describe('classifyFailure', () => {
  it.each([
    [429, { code: 'rate_limit_exceeded' }, 'DESCRIBE_RATE_LIMITED', true, 'throttle'],
    [
      429,
      { code: 'rate_limit_exceeded', message: '429 Request too large for gpt-4.1-mini: Limit 30000' },
      'DESCRIBE_RATE_LIMITED',
      false,
      'throttle',
    ],
    [429, { code: 'slow_down' }, 'DESCRIBE_RATE_LIMITED', true, 'throttle'],
    [429, { code: 'insufficient_quota' }, 'DESCRIBE_QUOTA_EXHAUSTED', false, 'quota'],
    [429, { code: null, type: 'insufficient_quota' }, 'DESCRIBE_QUOTA_EXHAUSTED', false, 'quota'],
    [429, { code: 'billing_hard_limit_reached' }, 'DESCRIBE_QUOTA_EXHAUSTED', false, 'quota'],
    [429, { code: 'x', type: 'insufficient_quota' }, 'DESCRIBE_QUOTA_EXHAUSTED', false, 'quota'],
    [503, { code: 'server_is_overloaded' }, 'DESCRIBE_OVERLOADED', true, 'outage'],
    [500, {}, 'DESCRIBE_UPSTREAM', true, 'outage'],
    [502, {}, 'DESCRIBE_UPSTREAM', true, 'outage'],
    [504, {}, 'DESCRIBE_UPSTREAM', true, 'outage'],
    [408, {}, 'DESCRIBE_UPSTREAM', true, 'outage'],
    [409, {}, 'DESCRIBE_UPSTREAM', true, 'outage'],
    [401, { code: 'invalid_api_key' }, 'DESCRIBE_AUTH', false, 'auth'],
    [403, {}, 'DESCRIBE_AUTH', false, 'auth'],
    [404, { code: 'model_not_found' }, 'DESCRIBE_UPSTREAM', false, 'item'],
    [400, { code: 'invalid_value', param: 'model' }, 'DESCRIBE_UPSTREAM', false, 'item'],
    [400, { code: 'failed_to_download_image' }, 'DESCRIBE_IMAGE_FETCH_FAILED', false, 'item'],
    [400, { code: 'invalid_image_url' }, 'DESCRIBE_IMAGE_FETCH_FAILED', false, 'item'],
    [400, { code: 'image_too_large' }, 'DESCRIBE_IMAGE_TOO_LARGE', false, 'item'],
    [400, { code: 'invalid_image' }, 'DESCRIBE_IMAGE_UNREADABLE', false, 'item'],
    [400, { code: 'unsupported_image_media_type' }, 'DESCRIBE_IMAGE_UNSUPPORTED', false, 'item'],
    [400, { code: 'image_content_policy_violation' }, 'DESCRIBE_REFUSED', false, 'item'],
    [400, { code: 'context_length_exceeded' }, 'DESCRIBE_CONTEXT_TOO_LONG', false, 'item'],
    [413, {}, 'DESCRIBE_CONTEXT_TOO_LONG', false, 'item'],
    [
      400,
      {
        code: 'invalid_value',
        param: 'messages',
        message: 'requires 40000 patches, exceeding the limit of 30000',
      },
      'DESCRIBE_IMAGE_TOO_LARGE',
      false,
      'item',
    ],
  ])('reads %i %o as %s', (status, fields, code, retryable, kind) => {
    const error = classifyFailure(apiError(status, fields));
    expect(error).toMatchObject({ code, retryable });
    expect(kindOf(error)).toBe(kind);
    expect(inspect(error)).not.toContain('sk-very-secret');
  });

  it('tells a slow image host by the message, since the API has no code for it', () => {
    const error = Object.assign(apiError(400, { code: 'invalid_value', param: 'url' }), {
      message: '400 Timeout while downloading https://secret.example/x?sig=y',
    });
    const classified = classifyFailure(error);
    expect(classified.code).toBe('DESCRIBE_IMAGE_FETCH_FAILED');
    expect(inspect(classified)).not.toContain('secret.example');
  });

  it('keeps status, request id, the code of the API and the wait it asks for', () => {
    expect(classifyFailure(apiError(429, { code: 'rate_limit_exceeded' }, { 'retry-after': '7' }))).toMatchObject({
      status: 429,
      requestId: 'req_1',
      upstreamCode: 'rate_limit_exceeded',
      retryAfterMs: 7000,
    });
  });

  it('names the code at the root of a connection failure', () => {
    const root = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const error = classifyFailure(new Error('Connection error.', { cause: new TypeError('fetch', { cause: root }) }));
    expect(error).toMatchObject({ code: 'DESCRIBE_UPSTREAM', retryable: true });
    expect(error.message).toBe('the connection to the API failed (ECONNRESET)');
    expect(kindOf(error)).toBe('outage');
  });

  it.each(['ENOTFOUND', 'ECONNREFUSED', 'CERT_HAS_EXPIRED'])('says what to check after %s', (code) => {
    const root = Object.assign(new Error('getaddrinfo ENOTFOUND api.openai.con'), { code, syscall: 'getaddrinfo' });
    const error = classifyFailure(new Error('Connection error.', { cause: root }));
    expect(error.message).toBe(
      `the connection to the API failed (${code}). Check \`baseURL\`, the proxy and the network.`,
    );
  });

  it.each([
    ['ERR_SSL_WRONG_VERSION_NUMBER', '1040:error:0A00010B:SSL routines::wrong version number'],
    ['EPROTO', 'write EPROTO 1040:error:1408F10B:SSL routines:ssl3_get_record:wrong version number'],
  ])('says after %s that the server speaks no TLS', (code, message) => {
    const root = Object.assign(new Error(message), { code, syscall: 'write' });
    const error = classifyFailure(new Error('Connection error.', { cause: root }));
    expect(error.message).toMatch(/speaks no TLS on this port: write `http:\/\/` in `baseURL`/);
    const other = Object.assign(new Error('write EPROTO alert handshake failure'), {
      code: 'EPROTO',
      syscall: 'write',
    });
    expect(classifyFailure(new Error('x', { cause: other })).message).toBe('the connection to the API failed (EPROTO)');
  });

  it('says that an answer was not HTTP, for which undici has a name and no code', () => {
    const root = Object.assign(new Error('Bearer sk-very-secret'), {
      name: 'HTTPParserError',
      code: undefined,
    });
    const error = classifyFailure(new Error('Connection error.', { cause: root }));
    expect(error).toMatchObject({ code: 'DESCRIBE_UPSTREAM', retryable: true });
    expect(error.message).toContain('(HTTPParserError)');
    expect(inspect(error)).not.toContain('sk-very-secret');
  });

  it('takes a connection error of the client without a code for an outage', () => {
    const renamed = new (class a extends APIConnectionError {})({ message: 'Connection error.' });
    expect(classifyFailure(renamed)).toMatchObject({ retryable: true });
  });

  it('keeps what the system says, and nothing that could repeat a request', () => {
    const system = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
      code: 'ECONNREFUSED',
      syscall: 'connect',
    });
    expect(inspect(classifyFailure(system))).toContain('127.0.0.1:1');
    const library = Object.assign(new Error('Bearer sk-very-secret'), { code: 'UND_ERR_INVALID_ARG' });
    expect(inspect(classifyFailure(library))).not.toContain('sk-very-secret');
    const echo = apiError(400, {
      code: 'a prompt that was echoed',
      type: 'x'.repeat(500),
      param: 'sk very secret',
    });
    expect(inspect(classifyFailure(echo))).not.toMatch(/echoed|xxxx|very secret/);
  });

  it('knows content that is not of the schema from an answer that is none', () => {
    const content = new UpstreamError('DESCRIBE_RESPONSE_INVALID', 'x', { status: 200, retryable: true });
    expect(kindOf(content)).toBe('content');
    expect(kindOf(classifyFailure(new SyntaxError('x')))).toBe('outage');
  });

  it('reads an answer that is not JSON, a plain throw and its own errors', () => {
    expect(classifyFailure(new SyntaxError('Unexpected end'))).toMatchObject({
      code: 'DESCRIBE_RESPONSE_INVALID',
      retryable: true,
    });
    // A mistake of neither the API nor the network, which another attempt would repeat.
    for (const mistake of [
      undefined,
      new TypeError('x'),
      new Error('Bearer sk-very-secret is an invalid header value'),
    ]) {
      const classified = classifyFailure(mistake);
      expect(classified).toMatchObject({ code: 'DESCRIBE_UPSTREAM', retryable: false });
      expect(kindOf(classified)).toBe('item');
      expect(inspect(classified)).not.toContain('sk-very-secret');
    }
    const own = new TimeoutError('the call', 5);
    expect(classifyFailure(own)).toBe(own);
  });
});

describe('retryAfterMsOf', () => {
  const nowMs = Date.UTC(2026, 10, 22, 12, 0, 0);
  it.each([
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after': '9' }, 9000],
    [{ 'retry-after': '1.5' }, 1500],
    [{ 'retry-after': 'Sun, 22 Nov 2026 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Sun, 22 Nov 2026 11:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '-5' }, undefined],
    [{}, undefined],
  ])('reads %o as %s', (headers, expected) => {
    expect(retryAfterMsOf(headers, nowMs)).toBe(expected);
    expect(retryAfterMsOf(new Headers(headers as Record<string, string>), nowMs)).toBe(expected);
  });
});

describe('what our own transport found', () => {
  it('is told as it is, however a client wraps it', () => {
    const refused = new UpstreamError('DESCRIBE_UPSTREAM', 'the proxy refused the tunnel with status 407');
    const tooLarge = new UpstreamError('DESCRIBE_RESPONSE_INVALID', 'the answer is larger than …');
    expect(classifyFailure(new APIConnectionError({ cause: refused }))).toBe(refused);
    const nested = new TypeError('terminated', { cause: tooLarge });
    expect(classifyFailure(new APIConnectionError({ cause: nested }))).toBe(tooLarge);
  });
});
