import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred } from '../internal/deferred.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

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
    window: fc.constantFrom(
      { windowMs: 1_000 },
      { windowMs: 60_000 },
      { windowCalls: 6 },
      { windowCalls: 9 },
    ),
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
      how: fc.constantFrom<Ending>('success', 'success', 'failure', 'failure', 'asks', 'neutral'),
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

const errors: Record<Exclude<Ending, 'success'>, Error> = {
  failure: new Error('failure'),
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
    const states = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        settingsArbitrary,
        fc.array(stepArbitrary, { maxLength: 80 }),
        async (settings, steps) => {
          await live(settings, steps, makeClock(), states);
        },
      ),
      { numRuns: 250, seed: 20_261_122 },
    );
    expect([...states].sort()).toEqual(['CLOSED', 'HALF_OPEN', 'ISOLATED', 'OPEN']);
  });
});

async function live(
  settings: Settings,
  steps: readonly Step[],
  clock: ManualClock,
  states: Set<string>,
): Promise<void> {
  const model = new Model(settings);
  const gates = new Map<number, Deferred<string>>();
  const breaker = new CircuitBreaker('modelled', (gate: Deferred<string>) => gate.promise, {
    ...settings,
    ...(settings.maxResetTimeoutMs === undefined
      ? {}
      : {
          maxResetTimeoutMs: Math.max(settings.maxResetTimeoutMs, settings.resetTimeoutMs),
          resetJitterRatio: 0,
        }),
    clock,
  });
  let calls = 0;
  for (const step of steps) {
    switch (step.do) {
      case 'start': {
        calls += 1;
        const gate = new Deferred<string>();
        const outcome = breaker.fire(gate).then(
          () => 'fulfilled',
          (error: { readonly code?: string }) => error.code ?? 'rejected',
        );
        if (model.start(calls)) gates.set(calls, gate);
        else expect(await outcome).toBe('DESCRIBE_CIRCUIT_OPEN');
        break;
      }
      case 'end': {
        const ids = [...gates.keys()];
        const id = ids[step.which % Math.max(1, ids.length)];
        if (id === undefined) break;
        if (step.how === 'success') gates.get(id)?.resolve('fine');
        else gates.get(id)?.reject(errors[step.how]);
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
    states.add(model.state);
    compare(breaker, model);
  }
  breaker.shutdown();
  expect(vi.getTimerCount()).toBe(0);
}

function compare(breaker: CircuitBreaker<[Deferred<string>], string>, model: Model): void {
  const { state, window, probes, totals, running, consecutiveBreaks, retryAfterMs } = breaker.getStats();
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
    },
    totals: model.totals,
    running: model.calls.size,
    consecutiveBreaks: model.breaks,
    retryAfterMs: model.state === 'OPEN' ? model.untilMs - model.nowMs : undefined,
  });
}
