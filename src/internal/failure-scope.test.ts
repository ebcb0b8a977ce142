import { describe, expect, it } from 'vitest';
import { CircuitOpenError } from '../errors/circuit-open-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { classifyFailure } from './classify-failure.ts';
import { failureScope } from './failure-scope.ts';

const scopeOf = (status: number, code?: string, headers: Record<string, string> = {}) =>
  failureScope(classifyFailure({ status, code, headers }));

describe('failureScope', () => {
  it.each([
    [401, 'invalid_api_key', 'key'],
    [403, undefined, 'model'],
    [404, 'model_not_found', 'model'],
    [404, 'DeploymentNotFound', 'model'],
    [404, undefined, 'item'],
    [429, 'rate_limit_exceeded', 'quota-group'],
    [429, 'slow_down', 'quota-group'],
    [429, 'insufficient_quota', 'quota-group'],
    [500, undefined, 'endpoint'],
    [503, 'server_is_overloaded', 'endpoint'],
    [400, 'invalid_image', 'item'],
    [400, 'failed_to_download_image', 'item'],
    [400, 'context_length_exceeded', 'item'],
  ] as const)('of a %s %s is the %s', (status, code, scope) => {
    expect(scopeOf(status, code)).toBe(scope);
  });

  it('of what never left is the process, and of silence the endpoint', () => {
    expect(failureScope(new CircuitOpenError('a', undefined))).toBe('process');
    expect(failureScope(new TimeoutError('an attempt', 1))).toBe('endpoint');
  });
});
