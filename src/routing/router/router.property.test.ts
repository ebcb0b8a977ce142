import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { RouteLeg } from './route-job.ts';
import { Router } from './router.ts';
import { FakeQuota, failureOf, jobOf } from './router-story.fixture.ts';

const SEED = 20_261_122;
const CONCURRENCY = 3;
const ENDPOINTS = ['a', 'b', 'c'];

const OUTCOMES = [
  'answer',
  'answer',
  'answer',
  'outage',
  'overload',
  'throttle',
  'item',
  'ended',
  'quota',
  'auth',
] as const;

const stepOf = fc.oneof(
  fc.record({
    kind: fc.constant('run' as const),
    model: fc.constantFrom('one', 'other'),
    priority: fc.integer({ min: -1, max: 2 }),
    withinMs: fc.constantFrom(500, 5_000, Number.POSITIVE_INFINITY),
  }),
  fc.record({
    kind: fc.constant('end' as const),
    pick: fc.nat(),
    outcome: fc.constantFrom(...OUTCOMES),
    sent: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('abort' as const), pick: fc.nat() }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 50, 700, 11_000) }),
  fc.record({ kind: fc.constant('open breaker' as const), pick: fc.nat(), ms: fc.constantFrom(100, 3_000) }),
);

interface Running {
  readonly leg: RouteLeg<string>;
  readonly end: (outcome: (typeof OUTCOMES)[number], sent: boolean) => void;
}

const scenario = fc.record({
  endpoints: fc.integer({ min: 1, max: 3 }),
  refillMs: fc.constantFrom(10, 200),
  steps: fc.array(stepOf, { minLength: 10, maxLength: 80 }),
});

it('keeps its promises whatever happens', { timeout: 30_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ endpoints, refillMs, steps }) => {
      const clock = new ManualClock();
      const names = ENDPOINTS.slice(0, endpoints);
      const quotas = new Map(names.map((name) => [name, new FakeQuota(name, clock, 2, refillMs)]));
      const breakerUntilMs = new Map<string, number>();
      const router = new Router<string>({
        endpoints: names.map((name) => ({ name, target: name, maxConcurrency: CONCURRENCY })),
        quotas: (group) => quotas.get(group) as FakeQuota,
        breakerWaitMs: (endpoint) => Math.max(0, (breakerUntilMs.get(endpoint) ?? 0) - clock.now()),
        maxQueued: 20,
        clock,
        random: () => 0.5,
      });
      const running = new Set<Running>();
      const broken: string[] = [];
      const controllers: AbortController[] = [];
      const settlements: number[] = [];
      const endings: Promise<unknown>[] = [];

      const run = (model: string, priority: number, withinMs: number) => {
        const controller = new AbortController();
        controllers.push(controller);
        const call = settlements.push(0) - 1;
        const job = jobOf({
          model,
          priority,
          signal: controller.signal,
          deadlineAtMs: clock.now() + withinMs,
        });
        const ending = router.run(
          job,
          (leg) =>
            new Promise<string>((resolve, reject) => {
              const entry: Running = {
                leg,
                end: (outcome, sent) => {
                  if (!running.delete(entry)) return;
                  if (sent) leg.sent();
                  if (outcome === 'answer') resolve('answer');
                  else reject(outcome === 'ended' ? new Error('the call ended') : failureOf[outcome]());
                },
              };
              running.add(entry);
              controller.signal.addEventListener('abort', () => entry.end('ended', true));
              const inFlight = [...running].filter(
                (other) => other.leg.endpoint === leg.endpoint && other.leg.model === leg.model,
              );
              if (inFlight.length > CONCURRENCY) broken.push(`${inFlight.length} in flight at ${leg.endpoint}`);
              const openUntilMs = names.length > 1 ? (breakerUntilMs.get(leg.endpoint) ?? 0) : 0;
              if (clock.now() < openUntilMs) broken.push(`sent through an open breaker of ${leg.endpoint}`);
              if (job.signal.aborted) broken.push('began after its abort');
            }),
        );
        const settled = () => {
          settlements[call] = (settlements[call] ?? 0) + 1;
        };
        endings.push(ending.then(settled, settled));
      };

      for (const step of steps) {
        const legs = [...running];
        if (step.kind === 'run') run(step.model, step.priority, step.withinMs);
        else if (step.kind === 'wait') await clock.advance(step.ms);
        else if (step.kind === 'end') legs[step.pick % legs.length]?.end(step.outcome, step.sent);
        else if (step.kind === 'abort') controllers[step.pick % controllers.length]?.abort('aborted');
        else breakerUntilMs.set(names[step.pick % names.length] ?? '', clock.now() + step.ms);
        await clock.flush();
        const { queued } = router.getStats();
        expect(queued).toBeLessThanOrEqual(20 + CONCURRENCY * endpoints * 2);
        if (queued === 0) expect(clock.pendingTimers).toBe(0);
      }

      expect(broken).toEqual([]);
      const closed = router.close();
      for (let turn = 0; turn < 400 && (running.size > 0 || router.getStats().queued > 0); turn += 1) {
        for (const entry of [...running]) entry.end('answer', true);
        await clock.advance(1_000);
      }
      await closed;
      await Promise.all(endings);
      expect(broken).toEqual([]);
      expect(settlements.every((count) => count === 1)).toBe(true);
      expect(clock.pendingTimers).toBe(0);
      expect(router.getStats()).toMatchObject({ queued: 0, inFlight: 0 });
      for (const quota of quotas.values()) expect(quota.ends).toHaveLength(quota.taken);
    }),
    { seed: SEED, numRuns: 150 },
  );
});

it('serves each priority in the order of coming, and a higher one first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 60 }), async (priorities) => {
      const clock = new ManualClock();
      const quota = new FakeQuota('a', clock, 0, 10);
      const router = new Router<string>({
        endpoints: [{ name: 'a', target: '' }],
        quotas: () => quota,
        clock,
      });
      const begun: number[] = [];
      const endings = priorities.map((priority, index) =>
        router.run(jobOf({ priority }), async () => {
          begun.push(index);
        }),
      );
      await clock.advance(10 * priorities.length);
      await Promise.all(endings);
      const expected = priorities
        .map((priority, index) => ({ priority, index }))
        .sort((one, other) => other.priority - one.priority || one.index - other.index)
        .map(({ index }) => index);
      expect(begun).toEqual(expected);
    }),
    { seed: SEED, numRuns: 40 },
  );
});

it('starves no low priority, however many of a higher one keep coming', async () => {
  const clock = new ManualClock();
  const quota = new FakeQuota('a', clock, 0, 100);
  const router = new Router<string>({
    endpoints: [{ name: 'a', target: '' }],
    quotas: () => quota,
    clock,
    ageingMs: 1_000,
  });
  let lowAtMs = 0;
  const ending = router.run(jobOf({ priority: 0 }), async () => {
    lowAtMs = clock.now();
  });
  // Twice as many as can be served, all of them higher by three.
  for (let turn = 0; turn < 200; turn += 1) {
    router.run(jobOf({ priority: 3 }), async () => {}).catch(() => {});
    await clock.advance(50);
  }
  await ending;
  expect(lowAtMs).toBeGreaterThan(3_000);
  expect(lowAtMs).toBeLessThanOrEqual(6_200);
  router.destroy(new Error('done'));
});
