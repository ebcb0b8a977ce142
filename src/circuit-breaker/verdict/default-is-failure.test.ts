import { expect, it } from 'vitest';
import { FAILURE_SAMPLES } from '../../errors/failure-samples.fixture.ts';
import { CircuitBreaker } from '../circuit-breaker.ts';

it.each(FAILURE_SAMPLES)('a breaker counts $name as the table of failures says', async ({ row, makeError }) => {
  const breaker = new CircuitBreaker('sample', () => Promise.reject(makeError()), { failureThreshold: 1 });
  await expect(breaker.fire()).rejects.toThrow();
  expect(breaker.state).toBe(row.countsForBreaker ? 'OPEN' : 'CLOSED');
  breaker.shutdown();
});
