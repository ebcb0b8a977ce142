import { CircuitBreaker } from '@describe-it/sdk/circuit-breaker';
import { defineBench } from '../define-bench.ts';

const echo = async (value: number) => value;
const failing = async (): Promise<number> => {
  throw new Error('down');
};

/** A sync function that starts as many calls, so that the harness's own await is a small part. */
const CALLS = 50;
const codeOf = (error: unknown) => (error as { readonly code?: unknown }).code;

export const benches = [
  defineBench({
    name: 'circuit breaker: closed fire',
    operations: CALLS,
    setup: () => new CircuitBreaker('bench', echo),
    run: async (breaker) => {
      let sum = 0;
      for (let index = 0; index < CALLS; index += 1) sum += await breaker.fire(7);
      return sum;
    },
    verify: (sum) => sum === 7 * CALLS,
    count: (breaker) => breaker.getStats().totals.succeeded,
    memory: {
      count: 1_000,
      make: (_, index) => new CircuitBreaker(`breaker ${index}`, echo),
    },
    teardown: (breaker) => breaker.shutdown(),
  }),
  defineBench({
    name: 'circuit breaker: open rejection',
    operations: CALLS,
    setup: async () => {
      const breaker = new CircuitBreaker('bench', failing, { failureThreshold: 1, resetTimeoutMs: 3_600_000 });
      await breaker.fire().catch(() => undefined);
      return breaker;
    },
    run: async (breaker) => {
      let refused = 0;
      for (let index = 0; index < CALLS; index += 1) {
        await breaker.fire().catch((error: unknown) => {
          if (codeOf(error) === 'DESCRIBE_CIRCUIT_OPEN') refused += 1;
        });
      }
      return refused;
    },
    verify: (refused) => refused === CALLS,
    count: (breaker) => breaker.getStats().totals.rejected,
    teardown: (breaker) => breaker.shutdown(),
  }),
];
