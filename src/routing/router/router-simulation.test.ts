import { describe, expect, it } from 'vitest';
import type { DescribeError } from '../../errors/describe-error.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { seededRandom } from '../closed-loop.fixture.ts';
import { QuotaRegistry } from '../quota/quota-registry.ts';
import type { RouteLeg } from './route-job.ts';
import { Router } from './router.ts';
import type { RouterQuota } from './router-quota.ts';
import { FakeQuota, failureOf, jobOf } from './router-story.fixture.ts';

/** How an endpoint treats a call at that moment. */
interface Behaviour {
  readonly latencyMs: number;
  readonly failure?: DescribeError | undefined;
}

interface SimulationOptions {
  readonly behaviours: Readonly<Record<string, (nowMs: number) => Behaviour>>;
  readonly callsPerSecond: number;
  readonly durationMs: number;
  readonly seed: number;
  readonly quotas?: (group: string, model: string) => RouterQuota;
  readonly clock?: ManualClock;
}

/** Calls come at random at a steady rate. Returns how many began at each endpoint in each second. */
async function simulate({
  behaviours,
  callsPerSecond,
  durationMs,
  seed,
  clock = new ManualClock(),
  quotas,
}: SimulationOptions) {
  const random = seededRandom(seed);
  const names = Object.keys(behaviours);
  const free = new Map(names.map((name) => [name, new FakeQuota(name, clock)]));
  const router = new Router<string>({
    endpoints: names.map((name) => ({ name, target: name })),
    quotas: quotas ?? ((group) => free.get(group) as FakeQuota),
    clock,
    random,
  });
  const begun = names.map(() => new Array<number>(Math.ceil(durationMs / 1_000)).fill(0));
  const outcomes = { answered: 0, failed: 0 };
  const attempt = (leg: RouteLeg<string>) =>
    new Promise<void>((resolve, reject) => {
      const second = begun[names.indexOf(leg.endpoint)];
      const at = Math.floor(clock.now() / 1_000);
      if (second !== undefined) second[at] = (second[at] ?? 0) + 1;
      leg.sent();
      const { latencyMs, failure } = behaviours[leg.endpoint]?.(clock.now()) ?? { latencyMs: 0 };
      clock.setTimeout(
        () => {
          if (failure === undefined) leg.answered({ outputTokens: 100 });
          if (failure === undefined) resolve();
          else reject(failure);
        },
        latencyMs * (0.8 + 0.4 * random()),
      );
    });
  const next = () => {
    router.run(jobOf({ tokens: 100 }), attempt).then(
      () => {
        outcomes.answered += 1;
      },
      () => {
        outcomes.failed += 1;
      },
    );
    clock.setTimeout(next, (-Math.log(1 - random()) * 1_000) / callsPerSecond);
  };
  next();
  await clock.advance(durationMs);
  const stats = router.getStats();
  router.destroy(new Error('the simulation ended'));
  const between = (name: string, fromMs: number, toMs: number) =>
    (begun[names.indexOf(name)] ?? []).slice(fromMs / 1_000, toMs / 1_000).reduce((sum, count) => sum + count, 0);
  return { between, outcomes, stats };
}

describe.each([1, 2, 3])('endpoints side by side (seed %i)', (seed) => {
  it('a slow one gets less than its equal share, and is still tried', async () => {
    const { between } = await simulate({
      behaviours: { fast: () => ({ latencyMs: 200 }), slow: () => ({ latencyMs: 2_000 }) },
      callsPerSecond: 20,
      durationMs: 30_000,
      seed,
    });
    const slow = between('slow', 5_000, 30_000);
    expect(slow).toBeGreaterThan(0);
    expect(slow / (slow + between('fast', 5_000, 30_000))).toBeLessThan(0.2);
  });

  it('traffic leaves one that turns slow, and comes back when it is fast again', async () => {
    const { between } = await simulate({
      behaviours: {
        steady: () => ({ latencyMs: 200 }),
        moody: (nowMs) => ({ latencyMs: nowMs > 20_000 && nowMs < 40_000 ? 4_000 : 200 }),
      },
      callsPerSecond: 20,
      durationMs: 90_000,
      seed,
    });
    const shareOfMoody = (fromMs: number, toMs: number) =>
      between('moody', fromMs, toMs) / (between('moody', fromMs, toMs) + between('steady', fromMs, toMs));
    expect(shareOfMoody(5_000, 20_000)).toBeGreaterThan(0.4);
    expect(shareOfMoody(26_000, 40_000)).toBeLessThan(0.2);
    expect(shareOfMoody(70_000, 90_000)).toBeGreaterThan(0.35);
  });

  it('one that answers 500 at once looks neither fast nor good: it leaves rotation and is tried now and then', async () => {
    const { between, outcomes, stats } = await simulate({
      behaviours: {
        good: () => ({ latencyMs: 300 }),
        bad: () => ({ latencyMs: 5, failure: failureOf.outage() }),
      },
      callsPerSecond: 20,
      durationMs: 120_000,
      seed,
    });
    expect(between('bad', 0, 10_000)).toBeLessThanOrEqual(8);
    expect(between('bad', 0, 120_000)).toBeLessThan(25);
    expect(outcomes.failed).toBeLessThan(25);
    expect(stats.endpoints['bad']?.models[0]).toMatchObject({ condition: 'ejected' });
  });

  it('one that recovers gets its share back step by step', async () => {
    const { between, stats } = await simulate({
      behaviours: {
        good: () => ({ latencyMs: 300 }),
        back: (nowMs) => ({ latencyMs: 300, failure: nowMs < 5_000 ? failureOf.outage() : undefined }),
      },
      callsPerSecond: 30,
      durationMs: 90_000,
      seed,
    });
    const early = between('back', 10_000, 15_000) / 5;
    const later = between('back', 25_000, 35_000) / 10;
    const atLast = between('back', 60_000, 90_000) / 30;
    expect(early).toBeLessThan(atLast / 2);
    expect(later).toBeGreaterThan(early);
    expect(atLast).toBeGreaterThan(11);
    expect(stats.endpoints['back']?.models[0]).toMatchObject({ condition: 'ready', ejections: 1 });
  });

  it('one that is overloaded gets less, without leaving rotation', async () => {
    const { stats } = await simulate({
      behaviours: {
        calm: () => ({ latencyMs: 1_000 }),
        busy: (nowMs) => ({
          latencyMs: 1_000,
          failure: Math.floor(nowMs / 10) % 4 === 0 ? failureOf.throttle({ upstreamCode: 'slow_down' }) : undefined,
        }),
      },
      callsPerSecond: 40,
      durationMs: 40_000,
      seed,
    });
    const concurrencyOf = (name: string) => stats.endpoints[name]?.models[0]?.concurrency ?? 0;
    expect(concurrencyOf('busy')).toBeLessThan(concurrencyOf('calm') / 2);
    expect(stats.endpoints['busy']?.models[0]).toMatchObject({ failures: 0, ejections: 0 });
  });

  it('two groups of unequal limits get shares in proportion to them, and all of both', async () => {
    const clock = new ManualClock();
    const limits: Record<string, number> = { small: 300, large: 900 };
    const registry = new QuotaRegistry({
      limitsOf: (group) => ({ requestsPerMinute: limits[group] }),
      clock,
      random: seededRandom(seed),
    });
    const { between } = await simulate({
      behaviours: { small: () => ({ latencyMs: 200 }), large: () => ({ latencyMs: 200 }) },
      callsPerSecond: 30,
      durationMs: 70_000,
      seed,
      clock,
      quotas: (group, model) => registry.get(group, model),
    });
    const small = between('small', 10_000, 70_000);
    const large = between('large', 10_000, 70_000);
    expect(small).toBeGreaterThanOrEqual(0.95 * 300);
    expect(large).toBeGreaterThanOrEqual(0.95 * 900);
    expect(large / small).toBeGreaterThan(2.8);
    expect(large / small).toBeLessThan(3.2);
    registry.close();
  });
});
