import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../internal/async/signals.ts';
import { describeImageFacts } from '../fake-openai/image-facts.ts';
import { SeenStats } from '../fake-openai/seen-stats.ts';
import { ManualClock } from '../manual-clock.ts';
import type { LoadPhaseResult } from './load-figures.ts';
import type { LoadProgress } from './load-run.ts';
import type { LoadPhase, LoadScenario } from './load-scenario.ts';
import { LOAD_SCENARIOS } from './load-scenarios.ts';
import type { LoadServer, LoadTarget } from './load-target.ts';
import { type LoadRunOptions, runLoadScenario } from './run-load-scenario.ts';

const NAMED = 'http://127.0.0.1:1/v1';

const scenarioOf = (phase: Partial<LoadPhase>, more: Partial<LoadScenario> = {}): LoadScenario => ({
  name: 'a scenario',
  proves: 'Something.',
  phases: [{ name: 'a phase', durationMs: 1000, ...phase }],
  ...more,
});

/** A target whose calls take so long, by its number from 0. */
const targetOf = (clock: ManualClock, takesMs: (call: number) => number): LoadTarget => {
  let calls = 0;
  return {
    describe: async (image, { signal } = {}) => {
      calls += 1;
      await sleep(takesMs(calls - 1), { clock, ...(signal && { signal }) });
      return { description: describeImageFacts(image), source: 'upstream' };
    },
  };
};

/** Runs to the end on a clock that is moved by hand. */
async function play(target: LoadTarget, clock: ManualClock, scenario: LoadScenario, options: LoadRunOptions = {}) {
  const run = runLoadScenario(target, scenario, { server: NAMED, clock, ...options });
  let isSettled = false;
  const settled = () => {
    isSettled = true;
  };
  run.then(settled, settled);
  for (let turn = 0; turn < 10_000 && !isSettled; turn += 1) await clock.advance(10);
  return run;
}

/** The process of a test also holds the memory of the test files before it. */
const ANY_MEMORY = 2 ** 40;

describe('a load at a named rate', () => {
  it('begins each call on time, however slow the earlier ones are', async () => {
    const clock = new ManualClock();
    const result = await play(
      targetOf(clock, () => 700),
      clock,
      scenarioOf({ rate: 10 }),
    );
    expect(result).toMatchObject({ calls: 10, succeeded: 10, failed: 0, durationMs: 1600 });
    expect(result.latencyMs).toMatchObject({ min: 700, max: 700 });
    expect(result.startDelayMs).toMatchObject({ max: 0 });
  });

  it('counts the time from when a call was due, so that a blocked process does not look fast', async () => {
    const clock = new ManualClock();
    let skewMs = 0;
    const blocked: LoadRunOptions['clock'] = {
      now: () => clock.now() + skewMs,
      setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
      clearTimeout: (handle) => clock.clearTimeout(handle),
    };
    const target: LoadTarget = {
      describe: async () => {
        // The first call holds the thread for 400 ms: four more fall due meanwhile, and then begin at once.
        skewMs = 400;
        return { description: '' };
      },
    };
    const result = await play(target, clock, scenarioOf({ rate: 10 }), { clock: blocked });
    expect(result.calls).toBe(10);
    expect(result.latencyMs).toMatchObject({ max: 400 });
    expect(result.latencyMs?.p90).toBeGreaterThan(290);
    expect(result.startDelayMs?.max).toBeGreaterThanOrEqual(300);
  });

  it('counts a call beyond maxInFlight as failed', async () => {
    const clock = new ManualClock();
    const result = await play(
      targetOf(clock, () => 5000),
      clock,
      scenarioOf({ rate: 10 }),
      { maxInFlight: 4 },
    );
    expect(result).toMatchObject({ calls: 10, succeeded: 4, errors: { NOT_STARTED: 6 } });
  });
});

describe('a load of a named concurrency', () => {
  it('keeps that many calls in flight and begins none after its time', async () => {
    const clock = new ManualClock();
    let inFlight = 0;
    let most = 0;
    const inner = targetOf(clock, () => 100);
    const target: LoadTarget = {
      describe: async (image, options) => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        return inner.describe(image, options).finally(() => {
          inFlight -= 1;
        });
      },
    };
    const result = await play(target, clock, scenarioOf({ concurrency: 3 }));
    expect(most).toBe(3);
    expect(result.calls).toBe(30);
    expect(result.startDelayMs).toBeUndefined();
  });
});

describe('the verdicts', () => {
  it('add the thresholds of everyone, those of the scenario, and those of the caller, who wins', async () => {
    const clock = new ManualClock();
    const scenario = scenarioOf(
      { rate: 20, thresholds: { maxP95Ms: 50 } },
      { thresholds: { maxErrorRate: 0, maxMedianMs: 200 } },
    );
    const result = await play(
      targetOf(clock, () => 100),
      clock,
      scenario,
      { thresholds: { maxMedianMs: 99 } },
    );
    const of = (name: string) => result.verdicts.find(({ threshold }) => threshold === name);
    expect(of('maxResponseTime')).toEqual({ threshold: 'maxResponseTime', limit: 5000, value: 100, status: 'met' });
    expect(of('maxErrorRate')).toMatchObject({ limit: 0, status: 'met' });
    expect(of('maxMedianMs')).toMatchObject({ limit: 99, status: 'missed' });
    expect(of('maxP95Ms')).toMatchObject({ phase: 'a phase', limit: 50, status: 'missed' });
    expect(result.passed).toBe(false);
  });

  it('say what could not be measured, and do not fail for it', async () => {
    const clock = new ManualClock();
    const result = await play(
      targetOf(clock, () => 10),
      clock,
      scenarioOf({ rate: 20 }, { thresholds: { maxMemoryUsage: ANY_MEMORY, maxRefusedRatio: 0 } }),
    );
    expect(result.verdicts.at(-1)).toEqual({ threshold: 'maxRefusedRatio', limit: 0, status: 'not measured' });
    expect(result.passed).toBe(true);
  });

  it('count errors by code, another image’s description as wrong, and never throw for either', async () => {
    const clock = new ManualClock();
    let call = 0;
    const target: LoadTarget = {
      describe: async (image) => {
        call += 1;
        if (call % 4 === 0) throw Object.assign(new Error('no'), { code: 'DESCRIBE_OVERLOADED', costUsd: 0.5 });
        if (call % 4 === 1) throw new RangeError('no');
        return { description: call % 4 === 2 ? describeImageFacts(image) : 'another image’s' };
      },
    };
    const result = await play(target, clock, scenarioOf({ rate: 20 }), { checkAnswers: true });
    expect(result).toMatchObject({
      calls: 20,
      failed: 10,
      errors: { DESCRIBE_OVERLOADED: 5, RangeError: 5 },
      wrongAnswers: 5,
      requests: { costUsd: 2.5 },
    });
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });
});

describe('the end of a load', () => {
  it('aborts calls that take too long, and counts what does not settle even then', async () => {
    const clock = new ManualClock();
    const endless: LoadTarget = { describe: () => new Promise(() => {}) };
    const result = await play(endless, clock, scenarioOf({ rate: 5 }), { drainTimeoutMs: 100 });
    expect(result).toMatchObject({ calls: 5, errors: { UNSETTLED: 5 }, slowestMs: 2100 });
    const slow = targetOf(clock, () => 60_000);
    expect(await play(slow, clock, scenarioOf({ rate: 5 }), { drainTimeoutMs: 100 })).toMatchObject({
      errors: { TimeoutError: 5 },
    });
  });

  it('leaves no timer and no listener, also when its signal aborts it', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const { signal } = controller;
    await play(
      targetOf(clock, () => 10),
      clock,
      scenarioOf({ rate: 5 }),
      { signal, onProgress: () => {} },
    );
    expect([clock.pendingTimers, getEventListeners(signal, 'abort').length]).toEqual([0, 0]);

    const run = play(
      targetOf(clock, () => 10),
      clock,
      scenarioOf({ concurrency: 2, durationMs: 60_000 }),
      { signal },
    );
    await clock.advance(500);
    controller.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    await clock.flush();
    expect(clock.pendingTimers).toBe(0);
  });

  it('reports progress, and waits between phases for who looks at the process', async () => {
    const clock = new ManualClock();
    const progress: LoadProgress[] = [];
    const ended: LoadPhaseResult[] = [];
    const scenario: LoadScenario = {
      ...scenarioOf({}),
      phases: [
        { name: 'warm-up', durationMs: 1000, rate: 4, counted: false, drain: true },
        { name: 'measured', durationMs: 1000, rate: 8 },
      ],
    };
    const result = await play(
      targetOf(clock, () => 500),
      clock,
      scenario,
      {
        onProgress: (at) => {
          progress.push(at);
          throw new Error('a listener of the user');
        },
        onPhaseEnd: async (phase) => {
          ended.push(phase);
          await sleep(5000, { clock });
        },
        progressIntervalMs: 500,
      },
    );
    expect(result).toMatchObject({ calls: 8, durationMs: 1375 });
    expect(ended.map(({ name, calls }) => [name, calls])).toEqual([
      ['warm-up', 4],
      ['measured', 8],
    ]);
    expect(progress[0]).toMatchObject({ scenario: 'a scenario', phase: 'warm-up', durationMs: 2000, inFlight: 2 });
  });
});

describe('the servers of a run', () => {
  const logged = () => {
    const log: string[] = [];
    const stats = new SeenStats();
    const server: LoadServer = {
      baseURL: NAMED,
      apiKey: 'sk-fake',
      getStats: () => stats.snapshot(),
      setFaults: (faults) => void log.push(`faults ${JSON.stringify(faults)}`),
      setLimits: (limits) => void log.push(`limits ${JSON.stringify(limits)}`),
      reset: () => void log.push('reset'),
      stop: async () => void log.push('stop'),
      start: async () => void log.push('start'),
    };
    const redis = {
      kill: async () => void log.push('kill'),
      restart: async () => void log.push('restart'),
      pause: () => void log.push('pause'),
      resume: () => void log.push('resume'),
    };
    return { log, server, redis };
  };

  it('do what the phases say and are well afterwards', async () => {
    const clock = new ManualClock();
    const { log, server, redis } = logged();
    const scenario: LoadScenario = {
      ...scenarioOf({}),
      phases: [
        { name: 'a', durationMs: 100, rate: 10, faults: [{ fault: { kind: 'hang' } }], redis: 'pause' },
        { name: 'b', durationMs: 100, rate: 10, server: 'stop', limits: { requestsPerMinute: 60 } },
      ],
    };
    await play(
      targetOf(clock, () => 10),
      clock,
      scenario,
      { server, redis },
    );
    const faults = 'faults [{"fault":{"kind":"hang"}}]';
    const limits = 'limits {"requestsPerMinute":60}';
    expect(log).toEqual(['reset', faults, 'pause', 'faults []', limits, 'stop', 'faults []', 'start', 'resume']);
  });

  it('must be given where a phase needs them', async () => {
    const clock = new ManualClock();
    const target = targetOf(clock, () => 10);
    const run = (scenario: LoadScenario, options: LoadRunOptions = { server: NAMED }) =>
      runLoadScenario(target, scenario, options);
    await expect(run(scenarioOf({ rate: 1, server: 'stop' }))).rejects.toThrow(
      /server: expected a fake server, which the phase "a phase"/,
    );
    await expect(run(scenarioOf({ rate: 1, redis: 'kill' }))).rejects.toThrow(/redis: expected a Redis server/);
    await expect(run(scenarioOf({ rate: 1 }, { traffic: [{ tenants: 2 }] }))).rejects.toThrow(
      /tenantKeys: expected 2 keys/,
    );
    await expect(run(scenarioOf({ rate: 1 }, { traffic: [{ method: 'stream' }] }))).rejects.toThrow(
      /client\.stream: expected a function/,
    );
    await expect(run(scenarioOf({}))).rejects.toThrow(
      /scenario\.phases\[0\]: expected either rate or concurrency, got neither/,
    );
    await expect(run(scenarioOf({ rate: 1, concurrency: 1 }))).rejects.toThrow(/got both/);
  });

  it.each([
    [
      'https://api.openai.com',
      'https://api.openai.com/v1',
      /allowBilled: expected true, because each request to https:\/\/api\.openai\.com is billed/,
    ],
    ['https://eu.api.openai.com', undefined, /allowBilled/],
    ['https://mine.openai.azure.com', undefined, /allowBilled/],
    [undefined, 'https://api.openai.com/v1', /allowBilled/],
    [undefined, undefined, /server: expected the fake server, or the URL/],
    [
      'https://llm.example.com',
      undefined,
      /server: expected https:\/\/llm\.example\.com, to which the client sends, got nothing/,
    ],
    ['https://llm.example.com', NAMED, /server: expected https:\/\/llm\.example\.com/],
    ['http://127.0.0.1:9', 'ftp://x', /server: expected a fake server or an http\(s\) URL/],
  ])('refuses a client of %s with the server %s', async (origin, server, message) => {
    let calls = 0;
    const target: LoadTarget = {
      describe: async () => {
        calls += 1;
        return { description: '' };
      },
      ...(origin === undefined ? {} : { pools: { only: { getStats: () => ({ origin }) } } }),
    };
    const options = server === undefined ? {} : { server };
    await expect(runLoadScenario(target, scenarioOf({ rate: 1 }), options)).rejects.toThrow(message);
    expect(calls).toBe(0);
  });

  it('lets a server that bills be asked when that is allowed', async () => {
    const clock = new ManualClock();
    const target = {
      ...targetOf(clock, () => 1),
      pools: { a: { getStats: () => ({ origin: 'https://api.openai.com' }) } },
    };
    const options = {
      server: 'https://api.openai.com/v1',
      allowBilled: true,
      thresholds: { minThroughput: 0, maxMemoryUsage: ANY_MEMORY },
    };
    expect(await play(target, clock, scenarioOf({ rate: 2 }), options)).toMatchObject({ calls: 2, passed: true });
  });
});

describe('the exported scenarios', () => {
  it.each(Object.entries(LOAD_SCENARIOS))('%s has its name, and is plain data', (key, scenario) => {
    expect(scenario.name).toBe(key);
    expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario);
    expect(scenario.proves).toMatch(/^[A-Z].*\.$/);
  });

  it('draws the same calls for the same seed', async () => {
    const images = async (seed: number) => {
      const clock = new ManualClock();
      const seen: string[] = [];
      const target: LoadTarget = {
        describe: async (image) => {
          seen.push(describeImageFacts(image));
          return { description: '' };
        },
      };
      const traffic = [{ images: 5 }, { share: 2 }];
      await play(target, clock, scenarioOf({ rate: 30 }, { traffic }), { seed });
      return seen;
    };
    const first = await images(1);
    expect(await images(1)).toEqual(first);
    expect(await images(2)).not.toEqual(first);
    expect(new Set(first).size).toBeLessThan(first.length);
  });
});
