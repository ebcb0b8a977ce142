import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';
import type { Clock } from '../internal/clock.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerStats } from './circuit-breaker-stats.ts';
import { ASKED_MS, type Ending, Model, type Settings } from './reference-breaker.fixture.ts';

type Step =
  | { readonly do: 'start' | 'open' | 'isolate' | 'close' }
  | { readonly do: 'end'; readonly which: number; readonly how: Ending }
  | { readonly do: 'advance'; readonly byMs: number };

const settingsArbitrary: fc.Arbitrary<Settings> = fc
  .record({
    failureThreshold: fc.integer({ min: 1, max: 8 }),
    failureDecayMs: fc.constantFrom(500, 5_000, 600_000),
    errorThresholdPercentage: fc.constantFrom(1, 20, 50, 100),
    minimumCalls: fc.integer({ min: 1, max: 6 }),
    window: fc.constantFrom({ windowMs: 1_000 }, { windowMs: 60_000 }, { windowCalls: 6 }, { windowCalls: 9 }),
    resetTimeoutMs: fc.constantFrom(100, 1_000),
    maxResetTimeoutMs: fc.constantFrom(undefined, 1_000, 3_500),
    slow: fc.constantFrom(
      {},
      { slowCallDurationMs: 100 },
      { slowCallDurationMs: 100, slowCallRatio: 1 },
      { slowCallDurationMs: 300, slowCallRatio: 0 },
    ),
    halfOpenMaxCalls: fc.integer({ min: 1, max: 4 }),
    halfOpenSuccessRatio: fc.constantFrom(0, 0.5, 1),
    halfOpenTimeoutMs: fc.constantFrom(150, 2_000),
    timeoutMs: fc.constantFrom(undefined, 200, 1_500),
  })
  .map(({ window, slow, ...rest }) => ({ ...rest, ...window, ...slow }));

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Step>({ do: 'start' }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which: fc.nat({ max: 20 }),
      how: fc.constantFrom<Ending>('success', 'success', 'failure', 'failure', 'asks', 'neutral', 'given-up'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      byMs: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constantFrom(100, 700, 1_000, 90_000, 10_000_000)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>({ do: 'open' }, { do: 'isolate' }, { do: 'close' }, { do: 'close' }),
  },
);

const failure = new Error('failure');
const errors: Record<Exclude<Ending, 'success'>, Error> = {
  failure,
  // A client's error for an abort looks like any other failure; only the signal tells them apart.
  'given-up': failure,
  asks: Object.assign(new Error('asks'), { retryAfterMs: ASKED_MS }),
  neutral: new DOMException('neutral', 'AbortError'),
};

describe('CircuitBreaker and its reference model', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ['with timers that fire in time', () => new ManualClock({ fakeTimers: vi })],
    ['with reset timers that never fire, as when the loop is blocked', () => new ManualClock()],
  ])('agree over random histories, %s', async (_how, makeClock) => {
    const seen: Seen = {
      states: new Set(),
      late: 0,
      timedOut: 0,
      windowsOverflown: 0,
      givenUp: 0,
      opened: 0,
    };
    await fc.assert(
      fc.asyncProperty(
        settingsArbitrary,
        fc.array(stepArbitrary, { maxLength: 80, size: 'max' }),
        async (settings, steps) => {
          await live(settings, steps, makeClock(), seen);
        },
      ),
      { numRuns: 250, seed: 20_261_122 },
    );
    expect([...seen.states].sort()).toEqual(['CLOSED', 'HALF_OPEN', 'ISOLATED', 'OPEN']);
    // Histories that end early would prove nothing.
    for (const [what, atLeast] of ENOUGH) expect(seen[what], what).toBeGreaterThanOrEqual(atLeast);
  });

  it('keeps its counts and its promises on a clock that is put back and forth', async () => {
    let putBack = 0;
    await fc.assert(
      fc.asyncProperty(
        settingsArbitrary,
        fc.array(fc.oneof(stepArbitrary, fc.integer({ min: -100_000, max: 100_000 })), {
          maxLength: 60,
          size: 'max',
        }),
        async (settings, steps) => {
          const clock = new ManualClock();
          let offMs = 0;
          const skewed: Clock = {
            now: () => clock.now() + offMs,
            setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
            clearTimeout: (handle) => clock.clearTimeout(handle),
          };
          const breaker = makeBreaker(settings, skewed);
          const gates: Deferred<string>[] = [];
          const calls: Promise<unknown>[] = [];
          let longestBreakMs = 0;
          breaker.on('opened', ({ retryAfterMs }) => {
            longestBreakMs = Math.max(longestBreakMs, retryAfterMs);
          });
          for (const step of steps) {
            if (typeof step === 'number') {
              offMs += step;
              if (step < 0) putBack += 1;
            } else if (step.do === 'start') {
              const gate = new Deferred<string>();
              // Nobody awaits the gate of a rejected call.
              gate.promise.catch(() => {});
              gates.push(gate);
              calls.push(breaker.fire(gate, new AbortController()).catch(() => 'rejected'));
            } else if (step.do === 'end') {
              const [gate] = gates.splice(step.which % Math.max(1, gates.length), 1);
              if (step.how === 'success') gate?.resolve('fine');
              else gate?.reject(errors[step.how]);
              await clock.flush();
            } else if (step.do === 'advance') await clock.advance(step.byMs);
            else breaker[step.do]();
            checkCounts(breaker.getStats(), calls.length, longestBreakMs);
          }
          for (const gate of gates) gate.resolve('fine');
          await Promise.all(calls);
          expect(breaker.running).toBe(0);
          breaker.shutdown();
        },
      ),
      { numRuns: 100, seed: 20_261_122 },
    );
    expect(putBack).toBeGreaterThan(100);
  });
});

/** Totals over the histories. */
interface Seen {
  readonly states: Set<string>;
  late: number;
  timedOut: number;
  windowsOverflown: number;
  givenUp: number;
  opened: number;
}

const ENOUGH = [
  ['late', 100],
  ['timedOut', 100],
  ['windowsOverflown', 100],
  ['givenUp', 100],
  ['opened', 250],
] as const;

const makeBreaker = (settings: Settings, clock: Clock) =>
  new CircuitBreaker('modelled', (gate: Deferred<string>, _caller: AbortController) => gate.promise, {
    ...settings,
    ...(settings.maxResetTimeoutMs === undefined
      ? {}
      : {
          maxResetTimeoutMs: Math.max(settings.maxResetTimeoutMs, settings.resetTimeoutMs),
          resetJitterRatio: 0,
        }),
    clock,
  });

function checkCounts(stats: CircuitBreakerStats, calls: number, longestBreakMs: number): void {
  const { window, totals, running, openForMs = 0, retryAfterMs = 0 } = stats;
  const { succeeded, failed, ignored, rejected } = totals;
  expect(succeeded + failed + ignored + rejected + running).toBe(calls);
  for (const count of [running, openForMs, retryAfterMs, ...Object.values(window)]) {
    expect(count).toBeGreaterThanOrEqual(0);
  }
  expect(window.failures).toBeLessThanOrEqual(window.calls);
  expect(window.slowCalls).toBeLessThanOrEqual(window.calls);
  expect(retryAfterMs).toBeLessThanOrEqual(longestBreakMs + 1e-6);
}

async function live(settings: Settings, steps: readonly Step[], clock: ManualClock, seen: Seen): Promise<void> {
  const model = new Model(settings);
  const gates = new Map<number, { readonly gate: Deferred<string>; readonly caller: AbortController }>();
  const breaker = makeBreaker(settings, clock);
  let calls = 0;
  for (const step of steps) {
    switch (step.do) {
      case 'start': {
        calls += 1;
        const gate = new Deferred<string>();
        const caller = new AbortController();
        const outcome = breaker.fire(gate, caller).then(
          () => 'fulfilled',
          (error: { readonly code?: string }) => error.code ?? 'rejected',
        );
        if (model.start(calls)) gates.set(calls, { gate, caller });
        else expect(await outcome).toBe('DESCRIBE_CIRCUIT_OPEN');
        break;
      }
      case 'end': {
        const ids = [...gates.keys()];
        const id = ids[step.which % Math.max(1, ids.length)];
        if (id === undefined) break;
        const { gate, caller } = gates.get(id) ?? {};
        if (step.how === 'given-up') {
          caller?.abort();
          seen.givenUp += 1;
        }
        if (step.how === 'success') gate?.resolve('fine');
        else gate?.reject(errors[step.how]);
        gates.delete(id);
        await clock.flush();
        model.end(id, step.how);
        break;
      }
      case 'advance':
        await clock.advance(step.byMs);
        model.advance(step.byMs);
        break;
      default:
        breaker[step.do]();
        model[step.do]();
    }
    seen.states.add(model.state);
    if (model.outcomes.length > model.window().calls) seen.windowsOverflown += 1;
    compare(breaker.getStats(), model);
  }
  seen.late += model.totals.late;
  seen.timedOut += model.totals.timedOut;
  seen.opened += model.totals.opened;
  breaker.shutdown();
  expect(vi.getTimerCount()).toBe(0);
}

function compare(stats: CircuitBreakerStats, model: Model): void {
  const { state, window, probes, totals, running, consecutiveBreaks, retryAfterMs } = stats;
  const { fellBack: _never, ...counted } = totals;
  expect({
    state,
    window: { calls: window.calls, failures: window.failures, slowCalls: window.slowCalls },
    run: window.consecutiveFailures,
    probes,
    totals: counted,
    running,
    consecutiveBreaks,
    retryAfterMs,
  }).toEqual({
    state: model.state,
    window: model.window(),
    run: model.run(),
    probes: {
      running: model.runningProbes,
      succeeded: model.probes.filter(Boolean).length,
      failed: model.probes.filter((good) => !good).length,
      waiting: 0,
    },
    totals: model.totals,
    running: model.calls.size,
    consecutiveBreaks: model.breaks,
    retryAfterMs: model.state === 'OPEN' ? model.untilMs - model.nowMs : undefined,
  });
}
