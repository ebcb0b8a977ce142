import { ConsecutiveBreaker, circuitBreaker, handleAll, SamplingBreaker } from 'cockatiel';
import Opossum from 'opossum';
import { CircuitBreaker } from '../src/circuit-breaker/index.ts';
import { collectGarbage, defineSuite } from './harness/index.ts';

const action = async (value: number) => value;
const failing = async (): Promise<number> => {
  throw new Error('down');
};
const isError = (result: unknown) => result instanceof Error;
const code = (result: unknown) => (result as { code?: unknown }).code;

function closedContenders() {
  const ours = new CircuitBreaker('ours', action);
  const cockatiel = circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(5) });
  const opossum = new Opossum(action, { timeout: false });
  return {
    'bare call': () => action(7),
    cockatiel: () => cockatiel.execute(() => action(7)),
    opossum: () => opossum.fire(7),
    ours: () => ours.fire(7),
    shutdown: () => opossum.shutdown(),
  };
}

type Closed = ReturnType<typeof closedContenders>;

const closedSuite = (baseline: 'cockatiel' | 'opossum', maxRatio: number) =>
  defineSuite<Closed>({
    name: `circuit breaker: closed fire against ${baseline}`,
    baseline,
    setup: closedContenders,
    contenders: {
      'bare call': (closed) => closed['bare call'](),
      [baseline]: (closed) => closed[baseline](),
      ours: (closed) => closed.ours(),
    },
    verify: (result) => result === 7,
    gates: { ours: maxRatio },
    floors: ['bare call'],
    teardown: (closed) => closed.shutdown(),
  });

const BREAKERS = 10_000;

/** Heap and outside memory that `make` adds when its results are kept, in megabytes. */
function retainedMegabytes(make: (index: number) => CircuitBreaker): { readonly value: number } {
  const timersBefore = timers();
  collectGarbage();
  const before = process.memoryUsage();
  const kept = Array.from({ length: BREAKERS }, (_, index) => make(index));
  collectGarbage();
  const after = process.memoryUsage();
  if (timers() > timersBefore) throw new Error(`${timers() - timersBefore} timers for closed breakers`);
  if (kept.some(({ state }) => state !== 'CLOSED')) throw new Error('a breaker is not closed');
  return { value: (after.heapUsed - before.heapUsed + after.external - before.external) / 2 ** 20 };
}

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

export const suites = [
  closedSuite('cockatiel', 1),
  closedSuite('opossum', 0.6),
  defineSuite({
    name: 'circuit breaker: closed fire with slow-call detection',
    baseline: 'cockatiel sampling',
    setup: () => ({
      ours: new CircuitBreaker('ours', action, { slowCallDurationMs: 30_000 }),
      cockatiel: circuitBreaker(handleAll, {
        halfOpenAfter: 60_000,
        breaker: new SamplingBreaker({ threshold: 0.5, duration: 60_000 }),
      }),
    }),
    contenders: {
      'cockatiel sampling': ({ cockatiel }) => cockatiel.execute(() => action(7)),
      ours: ({ ours }) => ours.fire(7),
    },
    verify: (result) => result === 7,
    gates: { ours: 1 },
  }),
  defineSuite({
    name: 'circuit breaker: open rejection',
    baseline: 'opossum',
    async setup() {
      const ours = new CircuitBreaker('ours', failing, { failureThreshold: 1, resetTimeoutMs: 3_600_000 });
      const opossum = new Opossum(failing, { timeout: false, resetTimeout: 3_600_000 });
      const policy = circuitBreaker(handleAll, {
        halfOpenAfter: 3_600_000,
        breaker: new ConsecutiveBreaker(1),
      });
      await Promise.allSettled([ours.fire(), opossum.fire(), policy.execute(failing)]);
      return { ours, opossum, policy };
    },
    contenders: {
      opossum: {
        run: ({ opossum }) => opossum.fire().catch((error: unknown) => error),
        verify: (result) => code(result) === 'EOPENBREAKER',
      },
      cockatiel: {
        run: ({ policy }) => policy.execute(failing).catch((error: unknown) => error),
        verify: isError,
      },
      ours: {
        run: ({ ours }) => ours.fire().catch((error: unknown) => error),
        verify: (result) => code(result) === 'DESCRIBE_CIRCUIT_OPEN',
      },
    },
    gates: { ours: 0.5 },
    teardown({ ours, opossum }) {
      ours.shutdown();
      opossum.shutdown();
    },
  }),
  defineSuite({
    name: 'circuit breaker: memory of 10,000 closed breakers',
    baseline: '20 MB',
    kind: 'growth',
    unit: 'MB',
    rounds: 5,
    contenders: {
      '20 MB': { sample: () => ({ value: 20 }) },
      'ours, never called': {
        sample: () => retainedMegabytes((index) => new CircuitBreaker(`breaker ${index}`, action as never)),
      },
      'ours, called': {
        sample: () =>
          retainedMegabytes((index) => {
            const breaker = new CircuitBreaker(`breaker ${index}`, action as never, {
              slowCallDurationMs: 30_000,
            });
            void breaker.fire(index);
            return breaker;
          }),
      },
    },
    gates: { 'ours, never called': 1, 'ours, called': 1 },
  }),
];
