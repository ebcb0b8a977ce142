import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/index.ts';
import { sleep } from '../internal/async/signals.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { BatchProcessor } from './batch-processor.ts';
import { FlushGroup } from './queue/arrival.ts';
import { BatchItem } from './queue/batch-item.ts';
import { BatchQueue } from './queue/batch-queue.ts';

/** The outcome of one call of `process`. */
const call = fc.record({
  atMs: fc.nat(400),
  priority: fc.integer({ min: -2, max: 2 }),
  group: fc.constantFrom('a', 'b'),
  weight: fc.integer({ min: 0, max: 6 }),
  timeoutMs: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
  abortAfterMs: fc.option(fc.nat(300), { nil: undefined }),
  /** Tries that fail before one succeeds. */
  failures: fc.nat(3),
});

const scenario = fc.record({
  calls: fc.array(call, { minLength: 1, maxLength: 40 }),
  batchSize: fc.integer({ min: 1, max: 6 }),
  maxBatchWaitMs: fc.nat(60),
  maxConcurrentBatches: fc.integer({ min: 1, max: 3 }),
  maxQueueSize: fc.integer({ min: 1, max: 12 }),
  onQueueFull: fc.constantFrom('reject' as const, 'wait' as const),
  maxAttempts: fc.integer({ min: 1, max: 3 }),
  handler: fc.array(
    fc.record({
      durationMs: fc.nat(80),
      ends: fc.oneof(
        { weight: 6, arbitrary: fc.constant('well' as const) },
        fc.constantFrom('throws' as const, 'short' as const, 'never' as const, 'early' as const, 'promises' as const),
      ),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  closeAtMs: fc.option(fc.integer({ min: 100, max: 600 }), { nil: undefined }),
  destroyAtMs: fc.option(fc.integer({ min: 100, max: 600 }), { nil: undefined }),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;
type Input = { readonly index: number; readonly call: Scenario['calls'][number] };

const MAX_WEIGHT = 8;
const CODES = ['DESCRIBE_TIMEOUT', 'DESCRIBE_QUEUE_FULL', 'DESCRIBE_CLOSED', 'DESCRIBE_BATCH_HANDLER'];
const HANDLER_TIMEOUT_MS = 100;

/** Plays a scenario on a manual clock, and checks the rules that hold at every moment. */
async function play(played: Scenario) {
  const clock = new ManualClock();
  const settlements = new Map<number, number>();
  const outcomes = new Map<number, unknown>();
  // An error of a handler is an outcome, so violations are collected instead of asserted.
  const violations: string[] = [];
  const demand = (holds: boolean, what: string) => {
    if (!holds) violations.push(what);
  };
  const tries = new Map<number, number>();
  let running = 0;
  let handlerCalls = 0;
  const processor = new BatchProcessor<Input, string>(
    async (items, { signal, resolve }) => {
      const plan = played.handler[handlerCalls % played.handler.length] ?? { durationMs: 0, ends: 'well' };
      handlerCalls += 1;
      running += 1;
      demand(running <= played.maxConcurrentBatches, 'too many handlers');
      demand(items.length > 0 && items.length <= played.batchSize, 'batch size');
      demand(new Set(items.map((item) => item.call.group)).size === 1, 'mixed groups');
      const weight = items.reduce((total, item) => total + item.call.weight, 0);
      demand(weight <= MAX_WEIGHT || items.length === 1, 'too heavy');
      demand(processor.getMetrics().queued <= played.maxQueueSize, 'queue too long');
      for (const { index } of items) tries.set(index, (tries.get(index) ?? 0) + 1);
      const leave = () => {
        running -= 1;
      };
      if (plan.ends === 'never') {
        signal.addEventListener('abort', leave);
        return new Promise<string[]>(() => {});
      }
      await sleep(plan.durationMs, { clock, signal }).finally(leave);
      if (plan.ends === 'throws') throw new Error('handler');
      if (plan.ends === 'early') for (const [at, { index }] of items.entries()) resolve(at, `value ${index}`);
      const results = items.map(({ index, call: { failures } }) =>
        (tries.get(index) ?? 0) <= failures ? new Error(`item ${index}`) : `value ${index}`,
      );
      // Each item settles on its own, the last one long after the handler's timeout.
      if (plan.ends === 'promises') {
        return results.map(async (result, at) => {
          await sleep(at * 30, { clock, signal });
          return result;
        });
      }
      return plan.ends === 'short' ? results.slice(1) : results;
    },
    {
      clock,
      batchSize: played.batchSize,
      maxBatchWaitMs: played.maxBatchWaitMs,
      maxConcurrentBatches: played.maxConcurrentBatches,
      maxQueueSize: played.maxQueueSize,
      onQueueFull: played.onQueueFull,
      maxBatchWeight: MAX_WEIGHT,
      weigh: (item) => item.call.weight,
      groupBy: (item) => item.call.group,
      retry: { maxAttempts: played.maxAttempts, initialDelayMs: 10, maxDelayMs: 50, random: () => 0.5 },
      handlerTimeoutMs: HANDLER_TIMEOUT_MS,
    },
  );
  const settle = (index: number, outcome: unknown) => {
    settlements.set(index, (settlements.get(index) ?? 0) + 1);
    outcomes.set(index, outcome);
  };
  played.calls.forEach((call, index) => {
    clock.setTimeout(() => {
      const controller = new AbortController();
      if (call.abortAfterMs !== undefined) {
        clock.setTimeout(() => controller.abort(`aborted ${index}`), call.abortAfterMs);
      }
      const { priority, timeoutMs } = call;
      processor.process({ index, call }, { priority, timeoutMs, signal: controller.signal }).then(
        (value) => settle(index, value),
        (error: unknown) => settle(index, error),
      );
    }, call.atMs);
  });
  const ends: Promise<void>[] = [];
  if (played.closeAtMs !== undefined) clock.setTimeout(() => ends.push(processor.close()), played.closeAtMs);
  if (played.destroyAtMs !== undefined) {
    clock.setTimeout(() => ends.push(processor.destroy('destroyed')), played.destroyAtMs);
  }
  // Bounded work in bounded time: 40 calls of 3 tries of 100 ms each, one at a time, and the waits between.
  await clock.advance(40 * 3 * (HANDLER_TIMEOUT_MS + 50) + 2_000);
  await Promise.all([...ends, processor.close()]);
  return { clock, processor, settlements, outcomes, tries, violations };
}

describe('whatever happens', () => {
  it('settles every item exactly once with its own outcome, within every bound, and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (played) => {
        const { clock, processor, settlements, outcomes, tries, violations } = await play(played);
        expect(violations).toEqual([]);
        for (const [index, call] of played.calls.entries()) {
          expect(settlements.get(index)).toBe(1);
          const outcome = outcomes.get(index);
          if (typeof outcome === 'string') {
            expect([`value ${index}`, `aborted ${index}`, 'destroyed']).toContain(outcome);
          } else if (DescribeError.is(outcome)) {
            expect(CODES).toContain(outcome.code);
          } else {
            expect(outcome).toEqual(new Error(`item ${index}`));
          }
          if (outcome === `aborted ${index}`) expect(call.abortAfterMs).toBeDefined();
          expect(tries.get(index) ?? 0).toBeLessThanOrEqual(played.maxAttempts);
        }
        expect(clock.pendingTimers).toBe(0);
        expect(processor.getMetrics()).toMatchObject({
          queued: 0,
          waitingForRoom: 0,
          delayed: 0,
          activeBatches: 0,
        });
        const { accepted, aborted, timedOut, succeededMs, failedMs } = processor.getMetrics();
        const destroyed = [...outcomes.values()].filter((outcome) => outcome === 'destroyed').length;
        expect(succeededMs.count + failedMs.count + aborted + timedOut + destroyed).toBe(accepted);
      }),
      { numRuns: 150, seed: 8 },
    );
  });
});

/** An item whose promise nobody needs. */
function makeItem(sequence: number, priority: number, atMs: number, group: string) {
  const turn = { atMs, flushGroup: new FlushGroup() };
  return new BatchItem<number, number>(sequence, group, 1, priority, sequence, turn);
}

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      priority: fc.integer({ min: -3, max: 3 }),
      group: fc.nat(2),
    }),
  },
  fc.record({ kind: fc.constant('drop' as const), pick: fc.nat() }),
  fc.record({ kind: fc.constant('take' as const) }),
  fc.record({ kind: fc.constant('pass' as const), durationMs: fc.nat(30) }),
  fc.record({ kind: fc.constant('flush' as const) }),
);

describe('the queue', () => {
  it('agrees with a sorted list on order, readiness and the next end of a wait', () => {
    const limits = {
      batchSize: 3,
      maxBatchWeight: Number.POSITIVE_INFINITY,
      maxBatchWaitMs: 50,
      ageingMs: 20,
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = new BatchQueue<number, number>(limits);
        let waiting: ReturnType<typeof makeItem>[] = [];
        let nowMs = 0;
        let sequence = 0;
        let flushedThrough = 0;
        const isOver = (item: (typeof waiting)[number]) =>
          item.sequence <= flushedThrough || item.queued.atMs + limits.maxBatchWaitMs <= nowMs;
        const orderOf = (item: (typeof waiting)[number]) => item.accepted.atMs - item.priority * limits.ageingMs;
        const sorted = () =>
          waiting.toSorted((left, right) => orderOf(left) - orderOf(right) || left.sequence - right.sequence);
        for (const taken of steps) {
          if (taken.kind === 'pass') nowMs += taken.durationMs;
          if (taken.kind === 'flush') {
            flushedThrough = sequence;
            queue.expireThrough(sequence);
          }
          if (taken.kind === 'add') {
            sequence += 1;
            const item = makeItem(sequence, taken.priority, nowMs, `group ${taken.group}`);
            waiting.push(item);
            queue.add(item);
          }
          const dropped = taken.kind === 'drop' ? waiting[taken.pick % Math.max(1, waiting.length)] : undefined;
          if (dropped !== undefined) {
            waiting = waiting.filter((item) => item !== dropped);
            queue.drop(dropped);
          }
          if (taken.kind === 'take') {
            queue.expire(nowMs);
            const ready = sorted().filter(({ group }) => {
              const members = waiting.filter((item) => item.group === group);
              return members.length >= limits.batchSize || members.some(isOver);
            });
            const expected = sorted()
              .filter(({ group }) => group === ready[0]?.group)
              .slice(0, limits.batchSize);
            const batch = queue.takeBatch() ?? [];
            expect(batch.map((item) => item.sequence)).toEqual(expected.map((item) => item.sequence));
            waiting = waiting.filter((item) => !batch.includes(item));
            const ends = waiting
              .filter((item) => !isOver(item))
              .map((item) => item.queued.atMs + limits.maxBatchWaitMs);
            // A lane whose first item has settled may hold later ones that wait: its group is ready anyway.
            const next = queue.nextDueAtMs();
            if (next !== undefined) expect(ends).toContain(next);
            if (!waiting.some(isOver)) expect(next).toBe(ends.length === 0 ? undefined : Math.min(...ends));
          }
          expect(queue.size).toBe(waiting.length);
          expect(queue.items().length).toBe(waiting.length);
        }
      }),
      { numRuns: 500, seed: 8 },
    );
  });
});
