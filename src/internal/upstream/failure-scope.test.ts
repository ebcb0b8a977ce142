import { describe, expect, it } from 'vitest';
import { CircuitOpenError } from '../../errors/circuit-open-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import { classifyFailure } from './classify-failure.ts';

const scopeOf = (status: number, code?: string, headers: Record<string, string> = {}) =>
  failureMeaning(classifyFailure({ status, code, headers })).scope;

describe('the scope of a classified failure', () => {
  it.each([
    [401, 'invalid_api_key', 'key'],
    [403, undefined, 'model'],
    [404, 'model_not_found', 'model'],
    [404, 'DeploymentNotFound', 'model'],
    [404, undefined, 'model'],
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
    expect(failureMeaning(new CircuitOpenError('a', undefined)).scope).toBe('process');
    expect(failureMeaning(new TimeoutError('an attempt', 1)).scope).toBe('endpoint');
  });
});
