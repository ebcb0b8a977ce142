import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  CircuitOpenError,
  ConfigError,
  DescribeError,
  ERROR_CODES,
  type ErrorCode,
  httpStatusOf,
  InputError,
  TimeoutError,
  UpstreamError,
} from './index.ts';

const rateLimited = (retryAfterMs?: number) => new UpstreamError('DESCRIBE_RATE_LIMITED', 'x', { retryAfterMs });

describe('httpStatusOf', () => {
  it('blames the client of the service only for what it sent', () => {
    expect(httpStatusOf(new InputError('imageUrl', 'no'))).toEqual({ status: 400, headers: {} });
    expect(httpStatusOf(new UpstreamError('DESCRIBE_AUTH', 'no', { status: 401 })).status).toBe(500);
    expect(httpStatusOf(new ConfigError('x', [])).status).toBe(500);
    expect(httpStatusOf(new UpstreamError('DESCRIBE_UPSTREAM', 'no', { status: 400 })).status).toBe(502);
    expect(httpStatusOf(new TimeoutError('x', 1)).status).toBe(504);
  });

  it('gives the wait in whole seconds, and at least one', () => {
    expect(httpStatusOf(rateLimited(1500))).toEqual({
      status: 429,
      retryAfterSeconds: 2,
      headers: { 'Retry-After': '2' },
    });
    expect(httpStatusOf(new CircuitOpenError('x', 0))).toMatchObject({ status: 503, retryAfterSeconds: 1 });
    for (const none of [undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(httpStatusOf(rateLimited(none))).toEqual({ status: 429, headers: {} });
    }
  });

  it('has a status for every code, and 500 for one that it does not know', () => {
    for (const code of ERROR_CODES) {
      expect(httpStatusOf(new DescribeError(code, 'x')).status).toBeGreaterThanOrEqual(400);
    }
    for (const code of ['DESCRIBE_OF_TOMORROW', 'constructor', '__proto__']) {
      expect(httpStatusOf(new DescribeError(code as ErrorCode, 'x')).status).toBe(500);
    }
  });

  it('tells an abort and a timeout from a mistake', () => {
    expect(httpStatusOf(new DOMException('gone', 'AbortError')).status).toBe(499);
    expect(httpStatusOf(AbortSignal.abort().reason).status).toBe(499);
    expect(httpStatusOf(new DOMException('late', 'TimeoutError')).status).toBe(504);
    for (const other of [new TypeError('x'), undefined, null, 'x', 7]) {
      expect(httpStatusOf(other)).toEqual({ status: 500, headers: {} });
    }
  });

  it('fits what Node and fetch answer with', async () => {
    const { status, headers } = httpStatusOf(rateLimited(2000));
    expect(new Response('', { status, headers }).headers.get('retry-after')).toBe('2');
    const server = createServer((_, response) => response.writeHead(status, headers).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '2']);
    await new Promise((resolve) => server.close(resolve));
  });
});
