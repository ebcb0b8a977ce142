import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sleep } from '../../internal/async/signals.ts';
import { ManualClock } from '../manual-clock.ts';
import { arrivalCount } from './load-arrivals.ts';
import type { LoadPhase, LoadScenario } from './load-scenario.ts';
import type { LoadTarget } from './load-target.ts';
import { runLoadScenario } from './run-load-scenario.ts';

const MAX_IN_FLIGHT = 6;

const phaseOf = (load: fc.Arbitrary<Pick<LoadPhase, 'rate' | 'concurrency'>>): fc.Arbitrary<LoadPhase> =>
  fc
    .record({ load, durationMs: fc.integer({ min: 50, max: 800 }), drain: fc.boolean(), counted: fc.boolean() })
    .map(({ load: given, ...phase }) => ({ name: 'a phase', ...phase, ...given }));

const rate = fc.integer({ min: 1, max: 40 });
const phase = fc.oneof(
  phaseOf(fc.record({ rate: fc.oneof(rate, fc.record({ from: rate, to: rate })) })),
  phaseOf(fc.record({ concurrency: fc.integer({ min: 1, max: 5 }) })),
);

/** How each call goes, in turn: its time, and whether it succeeds, fails, or never settles. */
const behaviour = fc.record({
  takesMs: fc.integer({ min: 1, max: 1500 }),
  end: fc.constantFrom('succeeds', 'succeeds', 'succeeds', 'fails', 'hangs', 'ignores its signal'),
});
type Behaviour = typeof behaviour extends fc.Arbitrary<infer Value> ? Value : never;

function targetOf(clock: ManualClock, behaviours: readonly Behaviour[]) {
  let calls = 0;
  let inFlight = 0;
  let most = 0;
  const target: LoadTarget = {
    describe: async (_image, { signal } = {}) => {
      const { takesMs, end } = behaviours[calls % behaviours.length] as Behaviour;
      calls += 1;
      inFlight += 1;
      most = Math.max(most, inFlight);
      try {
        if (end === 'ignores its signal') await new Promise(() => {});
        await sleep(end === 'hangs' ? 1_000_000 : takesMs, { clock, ...(signal && { signal }) });
        if (end === 'fails') throw new Error('no');
        return { description: '' };
      } finally {
        inFlight -= 1;
      }
    },
  };
  return { target, calls: () => calls, most: () => most };
}

it('counts each call once, in its phase and in the whole, whatever becomes of it', async () => {
  const phases = fc.array(phase, { minLength: 1, maxLength: 3 });
  const behaviours = fc.array(behaviour, { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(phases, behaviours, async (given, ways) => {
      const clock = new ManualClock();
      const { target, calls, most } = targetOf(clock, ways);
      const scenario: LoadScenario = { name: 'any', proves: 'It counts.', phases: given };
      const run = runLoadScenario(target, scenario, {
        server: 'http://127.0.0.1:1',
        clock,
        maxInFlight: MAX_IN_FLIGHT,
        drainTimeoutMs: 300,
      });
      let isOver = false;
      const over = () => {
        isOver = true;
      };
      run.then(over, over);
      while (!isOver) await clock.advance(25);
      const result = await run;

      for (const [index, { rate: ofRate, durationMs }] of given.entries()) {
        const found = result.phases[index];
        expect(found?.calls).toBe((found?.succeeded ?? 0) + (found?.failed ?? 0));
        if (ofRate === undefined) continue;
        const ramp = typeof ofRate === 'number' ? { from: ofRate, to: ofRate } : ofRate;
        expect(found?.calls).toBe(arrivalCount({ ...ramp, durationMs }));
      }
      const counted = result.phases.filter((_, index) => given[index]?.counted);
      expect(result.calls).toBe(counted.reduce((sum, { calls: each }) => sum + each, 0));
      expect(result.failed).toBe(Object.values(result.errors).reduce((sum, count) => sum + count, 0));
      const notStarted = result.phases.reduce((sum, { errors }) => sum + (errors['NOT_STARTED'] ?? 0), 0);
      expect(calls()).toBe(result.phases.reduce((sum, { calls: each }) => sum + each, 0) - notStarted);
      // A call that ignores its signal is counted and forgotten, and is no reason to start fewer later.
      if (ways.every(({ end }) => end !== 'ignores its signal')) expect(most()).toBeLessThanOrEqual(MAX_IN_FLIGHT);
      expect(clock.pendingTimers).toBe(0);
    }),
    { seed: 20_261_128, numRuns: 60 },
  );
});
