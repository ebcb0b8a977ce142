import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred } from '../internal/deferred.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

/*
 * A reference model and the breaker live through the same random history and must agree after every step. The model
 * keeps everything that ever happened and works the rules out anew each time: slow, but plainly what the docs say.
 */

interface Settings {
  readonly failureThreshold: number;
  readonly failureDecayMs: number;
  readonly errorThresholdPercentage: number;
  readonly minimumCalls: number;
  readonly windowMs?: number | undefined;
  readonly windowCalls?: number | undefined;
  readonly resetTimeoutMs: number;
  readonly maxResetTimeoutMs?: number | undefined;
  readonly slowCallDurationMs?: number | undefined;
  readonly slowCallRatio?: number | undefined;
  readonly halfOpenMaxCalls: number;
  readonly halfOpenSuccessRatio: number;
  readonly halfOpenTimeoutMs: number;
  readonly timeoutMs?: number | undefined;
}

type Ending = 'success' | 'failure' | 'asks' | 'neutral';

interface ModelCall {
  readonly stay: number;
  readonly startedAtMs: number;
  readonly endsAtMs: number;
}

const ASKED_MS = 700;

class Model {
  nowMs = 0;
  state = 'CLOSED';
  readonly calls = new Map<number, ModelCall>();
  readonly totals = {
    succeeded: 0,
    failed: 0,
    ignored: 0,
    slow: 0,
    timedOut: 0,
    late: 0,
    rejected: 0,
    opened: 0,
  };
  breaks = 0;
  outcomes: { readonly atMs: number; readonly failed: boolean; readonly slow: boolean }[] = [];
  probes: boolean[] = [];
  untilMs = 0;
  #stay = 0;
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get runningProbes(): number {
    if (this.state !== 'HALF_OPEN') return 0;
    return [...this.calls.values()].filter(({ stay }) => stay === this.#stay).length;
  }

  start(id: number): boolean {
    const { halfOpenMaxCalls, halfOpenTimeoutMs, timeoutMs = Number.POSITIVE_INFINITY } = this.#settings;
    const admitted =
      this.state === 'CLOSED' ||
      (this.state === 'HALF_OPEN' && this.runningProbes + this.probes.length < halfOpenMaxCalls);
    if (!admitted) {
      this.totals.rejected += 1;
      return false;
    }
    const limitMs = this.state === 'HALF_OPEN' ? Math.min(halfOpenTimeoutMs, timeoutMs) : timeoutMs;
    this.calls.set(id, { stay: this.#stay, startedAtMs: this.nowMs, endsAtMs: this.nowMs + limitMs });
    return true;
  }

  end(id: number, ending: Ending | 'timeout'): void {
    const call = this.calls.get(id);
    if (call === undefined) return;
    this.calls.delete(id);
    const { slowCallDurationMs = Number.POSITIVE_INFINITY } = this.#settings;
    const neutral = ending === 'neutral';
    const failed = ending !== 'success' && !neutral;
    const slow = !neutral && this.nowMs - call.startedAtMs >= slowCallDurationMs;
    this.totals[neutral ? 'ignored' : failed ? 'failed' : 'succeeded'] += 1;
    if (slow) this.totals.slow += 1;
    if (ending === 'timeout') this.totals.timedOut += 1;
    if (call.stay !== this.#stay) this.totals.late += 1;
    else if (!neutral && this.state === 'CLOSED') this.#weigh(failed, slow, ending);
    else if (!neutral && this.state === 'HALF_OPEN') this.#judge(!failed && !slow, ending);
  }

  open(): void {
    if (this.state !== 'OPEN') this.#break(undefined);
  }

  isolate(): void {
    if (this.state !== 'ISOLATED') this.#enter('ISOLATED');
  }

  close(): void {
    this.breaks = 0;
    this.outcomes = [];
    this.#enter('CLOSED');
  }

  advance(durationMs: number): void {
    const targetMs = this.nowMs + durationMs;
    for (;;) {
      const due = [...this.calls].filter(([, { endsAtMs }]) => endsAtMs <= targetMs);
      due.sort(([, left], [, right]) => left.endsAtMs - right.endsAtMs);
      const [next] = due;
      const nextMs = next?.[1].endsAtMs ?? Number.POSITIVE_INFINITY;
      if (this.state === 'OPEN' && this.untilMs <= Math.min(targetMs, nextMs)) {
        this.nowMs = this.untilMs;
        this.#enter('HALF_OPEN');
      } else if (next !== undefined) {
        this.nowMs = nextMs;
        this.end(next[0], 'timeout');
      } else break;
    }
    this.nowMs = targetMs;
  }

  window() {
    const { windowMs = 60_000, windowCalls } = this.#settings;
    const sliceOf = (timeMs: number) => Math.floor(timeMs / (windowMs / 10));
    const seen =
      windowCalls === undefined
        ? this.outcomes.filter(({ atMs }) => sliceOf(atMs) > sliceOf(this.nowMs) - 10)
        : this.outcomes.slice(-windowCalls);
    return {
      calls: seen.length,
      failures: seen.filter(({ failed }) => failed).length,
      slowCalls: seen.filter(({ slow }) => slow).length,
    };
  }

  run(): number {
    let length = 0;
    let lastMs = 0;
    const decayed = (atMs: number) =>
      Math.max(0, length - Math.floor((atMs - lastMs) / this.#settings.failureDecayMs));
    for (const { atMs, failed } of this.outcomes) {
      length = failed ? decayed(atMs) + 1 : 0;
      if (failed) lastMs = atMs;
    }
    return decayed(this.nowMs);
  }

  #weigh(failed: boolean, slow: boolean, ending: Ending | 'timeout'): void {
    const { failureThreshold, minimumCalls, errorThresholdPercentage, slowCallRatio = 0.5 } = this.#settings;
    this.outcomes.push({ atMs: this.nowMs, failed, slow });
    if (!failed && !slow) return;
    const { calls, failures, slowCalls } = this.window();
    const ratioBroken = failures / calls >= errorThresholdPercentage / 100;
    const slowBroken = slowCalls > 0 && slowCalls / calls >= slowCallRatio;
    if (
      (failed && this.run() >= failureThreshold) ||
      (calls >= minimumCalls && (ratioBroken || slowBroken))
    ) {
      this.#break(ending);
    }
  }

  #judge(good: boolean, ending: Ending | 'timeout'): void {
    const { halfOpenMaxCalls, halfOpenSuccessRatio } = this.#settings;
    this.probes.push(good);
    const needed = Math.max(1, Math.ceil(halfOpenMaxCalls * halfOpenSuccessRatio));
    const bad = this.probes.filter((one) => !one).length;
    if (this.probes.length - bad >= needed) this.close();
    else if (halfOpenMaxCalls - bad < needed) this.#break(ending);
  }

  #break(ending: Ending | 'timeout' | undefined): void {
    const { resetTimeoutMs, maxResetTimeoutMs } = this.#settings;
    this.breaks += 1;
    this.totals.opened += 1;
    const grown = maxResetTimeoutMs === undefined ? resetTimeoutMs : resetTimeoutMs * 2 ** (this.breaks - 1);
    const lengthMs = Math.min(ending === 'asks' ? ASKED_MS : grown, maxResetTimeoutMs ?? 3_600_000);
    this.untilMs = this.nowMs + lengthMs;
    this.#enter('OPEN');
  }

  #enter(state: string): void {
    this.state = state;
    this.#stay += 1;
    this.probes = [];
    if (state !== 'CLOSED') this.outcomes = [];
  }
}

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

  it('agree over random histories', async () => {
    const states = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        settingsArbitrary,
        fc.array(stepArbitrary, { maxLength: 80 }),
        async (settings, steps) => {
          await live(settings, steps, states);
        },
      ),
      { numRuns: 300, seed: 20_261_122 },
    );
    expect([...states].sort()).toEqual(['CLOSED', 'HALF_OPEN', 'ISOLATED', 'OPEN']);
  });
});

async function live(settings: Settings, steps: readonly Step[], states: Set<string>): Promise<void> {
  const clock = new ManualClock({ fakeTimers: vi });
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
