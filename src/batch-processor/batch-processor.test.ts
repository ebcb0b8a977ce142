import { describe, expect, it } from 'vitest';
import { BatchHandlerError, ClosedError, DescribeError, QueueFullError, TimeoutError } from '../errors/index.ts';
import { Deferred } from '../internal/async/deferred.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { BatchProcessor } from './batch-processor.ts';
import type { BatchProcessorOptions } from './batch-processor-options.ts';
import type { BatchHandlerContext } from './queue/batch-handler.ts';

/** A processor that answers in upper case and logs its batches. */
function loggingProcessor(options: BatchProcessorOptions<string> = {}) {
  const clock = new ManualClock();
  const batches: string[][] = [];
  const processor = new BatchProcessor<string, string>(
    (items) => {
      batches.push([...items]);
      return items.map((item) => item.toUpperCase());
    },
    { clock, ...options },
  );
  return { clock, batches, processor };
}

/** A processor whose handler calls end when the test says so. */
function gatedProcessor(options: BatchProcessorOptions<string> = {}) {
  const clock = new ManualClock();
  const calls: {
    readonly items: readonly string[];
    readonly context: BatchHandlerContext<string>;
    readonly end: Deferred<readonly (string | Error)[]>;
  }[] = [];
  const processor = new BatchProcessor<string, string>(
    (items, context) => {
      const end = new Deferred<readonly (string | Error)[]>();
      calls.push({ items, context, end });
      return end.promise;
    },
    { clock, maxConcurrentBatches: 1, batchSize: 1, ...options },
  );
  const call = (index: number) => {
    const found = calls[index];
    if (found === undefined) throw new Error(`call ${index} was not made`);
    return found;
  };
  return { clock, calls, call, processor };
}

const outcome = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

describe('batching', () => {
  it('sends a full batch without waiting and the rest when the wait is over', async () => {
    const { clock, batches, processor } = loggingProcessor({ batchSize: 2, maxBatchWaitMs: 100 });
    const results = Promise.all(['a', 'b', 'c'].map((input) => processor.process(input)));
    await clock.flush();
    expect(batches).toEqual([['a', 'b']]);
    await clock.advance(99);
    expect(batches).toHaveLength(1);
    await clock.advance(1);
    expect(batches).toEqual([['a', 'b'], ['c']]);
    expect(await results).toEqual(['A', 'B', 'C']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('sends higher priority first, equals in the order of their calls', async () => {
    const { clock, batches, processor } = loggingProcessor({ batchSize: 5 });
    const calls = [
      ['low', -1],
      ['first', 0],
      ['second', 0],
      ['high', 3],
      ['higher', 4],
    ] as const;
    const results = Promise.all(calls.map(([input, priority]) => processor.process(input, { priority })));
    await clock.flush();
    await results;
    expect(batches).toEqual([['higher', 'high', 'first', 'second', 'low']]);
  });

  it('lets an old item of low priority pass a young one of high priority', async () => {
    const { clock, call, processor } = gatedProcessor({ ageingMs: 1_000 });
    const running = outcome(processor.process('running'));
    await clock.flush();
    const old = processor.process('old', { priority: 0 });
    await clock.advance(2_001);
    const young = processor.process('young', { priority: 2 });
    const younger = processor.process('younger', { priority: 3 });
    for (const [index, expected] of ['running', 'younger', 'old', 'young'].entries()) {
      expect(call(index).items).toEqual([expected]);
      call(index).end.resolve(['done']);
      await clock.flush();
    }
    await Promise.all([running, old, young, younger]);
  });

  it('closes a batch by weight, and sends an item that is too heavy alone', async () => {
    const { clock, batches, processor } = loggingProcessor({
      batchSize: 10,
      maxBatchWaitMs: 10,
      maxBatchWeight: 5,
      weigh: (input) => input.length,
    });
    const inputs = ['aaa', 'bb', 'cccccccc', 'd'];
    const results = Promise.all(inputs.map((input) => processor.process(input)));
    await clock.advance(10);
    await results;
    expect(batches).toEqual([['aaa', 'bb'], ['cccccccc'], ['d']]);
  });

  it('never mixes groups in a batch', async () => {
    const { clock, batches, processor } = loggingProcessor({
      batchSize: 2,
      groupBy: (input) => input.charAt(0),
      maxConcurrentBatches: 9,
    });
    const results = Promise.all(['a1', 'b1', 'a2', 'b2', 'a3'].map((input) => processor.process(input)));
    await clock.advance(200);
    await results;
    expect(batches).toEqual([['a1', 'a2'], ['b1', 'b2'], ['a3']]);
  });

  it('runs at most maxConcurrentBatches handlers', async () => {
    const { clock, calls, call, processor } = gatedProcessor({ maxConcurrentBatches: 2 });
    const results = Promise.all(['a', 'b', 'c'].map((input) => processor.process(input)));
    await clock.flush();
    expect(calls).toHaveLength(2);
    call(1).end.resolve(['B']);
    await clock.flush();
    expect(calls).toHaveLength(3);
    call(0).end.resolve(['A']);
    call(2).end.resolve(['C']);
    expect(await results).toEqual(['A', 'B', 'C']);
  });
});

describe('an item that is no longer wanted', () => {
  it('leaves the queue at once and rejects with the reason of its signal', async () => {
    const { clock, batches, processor } = loggingProcessor();
    const controller = new AbortController();
    const gone = outcome(processor.process('gone', { signal: controller.signal }));
    const stays = processor.process('stays');
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(processor.getMetrics().queued).toBe(1);
    expect(await gone).toBe(reason);
    await clock.advance(200);
    expect(await stays).toBe('STAYS');
    expect(batches).toEqual([['stays']]);
    expect(await outcome(processor.process('late', { signal: controller.signal }))).toBe(reason);
  });

  it('leaves the queue when its time is over', async () => {
    const { clock, batches, processor } = loggingProcessor({ maxBatchWaitMs: 1_000 });
    const late = outcome(processor.process('late', { timeoutMs: 50 }));
    await clock.advance(50);
    expect(await late).toBeInstanceOf(TimeoutError);
    await clock.advance(1_000);
    expect(batches).toEqual([]);
    expect(processor.getMetrics()).toMatchObject({ queued: 0, timedOut: 1 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves its running batch alone, and the last one aborts it', async () => {
    const { clock, call, processor } = gatedProcessor({ batchSize: 2 });
    const [first, second] = [new AbortController(), new AbortController()];
    const items = [
      outcome(processor.process('first', { signal: first.signal })),
      outcome(processor.process('second', { signal: second.signal })),
    ];
    await clock.flush();
    const { signal } = call(0).context;
    first.abort('one');
    expect(await items[0]).toBe('one');
    expect(call(0).context.isLive(0)).toBe(false);
    expect(signal.aborted).toBe(false);
    second.abort('two');
    expect(signal.reason).toBe('two');
    expect(await items[1]).toBe('two');
    call(0).end.resolve(['x', 'y']);
    await processor.close();
  });

  it('aborts the part of a batch that it was the last of', async () => {
    const { clock, call, processor } = gatedProcessor({ batchSize: 3 });
    const controllers = [0, 1, 2].map(() => new AbortController());
    const items = controllers.map(({ signal }, index) => outcome(processor.process(`${index}`, { signal })));
    await clock.flush();
    const part = call(0).context.signalFor([0, 1]);
    call(0).context.resolve(1, 'early');
    expect(await items[1]).toBe('early');
    expect(part.aborted).toBe(false);
    controllers[0]?.abort('gone');
    expect(part.reason).toBe('gone');
    expect(call(0).context.signal.aborted).toBe(false);
    call(0).end.resolve(['', '', 'late']);
    expect(await items[2]).toBe('late');
  });

  it('holds one listener on a signal however many items share it', async () => {
    const { clock, processor } = loggingProcessor();
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const results = Promise.all(Array.from({ length: 100 }, () => processor.process('x', { signal })));
    expect(listeners).toBe(1);
    await clock.advance(200);
    await results;
    expect(listeners).toBe(0);
  });
});

describe('a full queue', () => {
  it('turns new items away and names its limit', async () => {
    const { clock, call, processor } = gatedProcessor({ maxQueueSize: 1 });
    const running = outcome(processor.process('running'));
    const queued = outcome(processor.process('queued'));
    const error = await outcome(processor.process('too much'));
    expect(error).toBeInstanceOf(QueueFullError);
    expect(error).toMatchObject({ option: 'maxQueueSize', limit: 1 });
    await clock.flush();
    call(0).end.resolve(['1']);
    await clock.flush();
    call(1).end.resolve(['2']);
    expect(await Promise.all([running, queued])).toEqual(['1', '2']);
  });

  it('lets new items wait when told to, and admits them by priority', async () => {
    const { clock, call, processor } = gatedProcessor({
      maxQueueSize: 1,
      onQueueFull: 'wait',
      maxWaiting: 2,
    });
    const items = [
      processor.process('running'),
      processor.process('queued'),
      processor.process('low'),
      processor.process('high', { priority: 1 }),
    ];
    expect(processor.getMetrics().waitingForRoom).toBe(2);
    expect(await outcome(processor.process('beyond'))).toMatchObject({ option: 'maxWaiting' });
    for (const [index, expected] of ['running', 'queued', 'high', 'low'].entries()) {
      await clock.flush();
      expect(call(index).items).toEqual([expected]);
      call(index).end.resolve([expected]);
    }
    expect(await Promise.all(items)).toEqual(['running', 'queued', 'low', 'high']);
  });
});

describe('a handler that breaks its contract', () => {
  it('ends every item with a typed error when it throws', async () => {
    const clock = new ManualClock();
    const cause = new Error('broken');
    const processor = new BatchProcessor<string, string>(
      () => {
        throw cause;
      },
      { clock, batchSize: 2 },
    );
    const errors = await Promise.all([outcome(processor.process('a')), outcome(processor.process('b'))]);
    for (const error of errors) {
      expect(error).toBeInstanceOf(BatchHandlerError);
      expect(error).toMatchObject({ cause });
    }
  });

  it('ends every item with the error itself when that is one of ours', async () => {
    const thrown = new DescribeError('DESCRIBE_AUTH', 'the key is wrong');
    const processor = new BatchProcessor<string, string>(() => Promise.reject(thrown), { batchSize: 1 });
    expect(await outcome(processor.process('a'))).toBe(thrown);
  });

  it.each([
    ['too few results', ['A']],
    ['too many results', ['A', 'B', 'C']],
    ['no array', 'AB'],
    ['nothing', undefined],
  ])('ends every item with a typed error when it gives %s', async (_, results) => {
    const handler = () => results as readonly string[];
    const processor = new BatchProcessor<string, string>(handler, { batchSize: 2, retry: {} });
    const errors = await Promise.all([outcome(processor.process('a')), outcome(processor.process('b'))]);
    for (const error of errors) expect(DescribeError.is(error, 'DESCRIBE_BATCH_HANDLER')).toBe(true);
  });

  it('ends every item when it never settles, aborts it and frees its place', async () => {
    const { clock, call, processor } = gatedProcessor({ handlerTimeoutMs: 1_000 });
    const stuck = outcome(processor.process('stuck'));
    const next = processor.process('next');
    await clock.flush();
    const { signal } = call(0).context;
    await clock.advance(1_000);
    expect(await stuck).toBeInstanceOf(BatchHandlerError);
    expect(signal.aborted).toBe(true);
    call(1).end.resolve(['done']);
    expect(await next).toBe('done');
    call(0).end.reject(new Error('too late, and nobody hears'));
    await processor.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('retry', () => {
  it('tries only the failed items again, after a delay', async () => {
    const clock = new ManualClock();
    const calls: { readonly items: readonly string[]; readonly attempt: number; readonly atMs: number }[] = [];
    const processor = new BatchProcessor<string, string>(
      (items, { attempt }) => {
        calls.push({ items, attempt, atMs: clock.now() });
        return items.map((item) => (item.startsWith('bad') && attempt < 3 ? new Error('not yet') : item));
      },
      { clock, batchSize: 3, retry: { initialDelayMs: 100, random: () => 0.5 } },
    );
    const results = Promise.all(['good', 'bad1', 'bad2'].map((input) => processor.process(input)));
    await clock.advance(1_000);
    expect(await results).toEqual(['good', 'bad1', 'bad2']);
    expect(calls).toEqual([
      { items: ['good', 'bad1', 'bad2'], attempt: 1, atMs: 0 },
      { items: ['bad1', 'bad2'], attempt: 2, atMs: 50 },
      { items: ['bad1', 'bad2'], attempt: 3, atMs: 150 },
    ]);
  });

  it('lets the delay grow by factor', async () => {
    const clock = new ManualClock();
    const startedAtMs: number[] = [];
    const down = () => {
      startedAtMs.push(clock.now());
      throw new Error('down');
    };
    const retry = { maxAttempts: 4, initialDelayMs: 10, factor: 5, random: () => 1 };
    const item = outcome(new BatchProcessor<string, string>(down, { clock, batchSize: 1, retry }).process('a'));
    await clock.advance(1_000);
    await item;
    expect(startedAtMs).toEqual([0, 10, 60, 310]);
  });

  it('tries no item again whose error isRetryable says no to', async () => {
    const clock = new ManualClock();
    const tries: string[] = [];
    const isRetryable = (error: unknown) => (error as Error).message === 'again';
    const processor = new BatchProcessor<string, string>(
      (items) => {
        tries.push(...items);
        return items.map((item) => new Error(item));
      },
      { clock, batchSize: 2, retry: { maxAttempts: 2, isRetryable } },
    );
    const items = ['again', 'never'].map((input) => outcome(processor.process(input)));
    await clock.advance(1_000);
    expect(await Promise.all(items)).toMatchObject([{ message: 'again' }, { message: 'never' }]);
    expect(tries).toEqual(['again', 'never', 'again']);
  });

  it('keeps the place of a batch that failed as a whole, so that an outage does not use up the tries of the queue', async () => {
    const clock = new ManualClock();
    let calls = 0;
    const processor = new BatchProcessor<string, string>(
      (items) => {
        calls += 1;
        return clock.now() < 1_000 ? items.map(() => new Error('down')) : items;
      },
      { clock, batchSize: 1, maxConcurrentBatches: 2, retry: { initialDelayMs: 600, random: () => 1 } },
    );
    const inputs = Array.from({ length: 50 }, (_, index) => `${index}`);
    const results = Promise.all(inputs.map((input) => processor.process(input)));
    await clock.advance(60_000);
    expect(await results).toEqual(inputs);
    // Two slots, tries at 0 ms and 600 ms each, then every item succeeds.
    expect(calls).toBe(4 + 50);
  });

  it('gives the place up when an item of a batch succeeded, or when the last one leaves', async () => {
    const { clock, calls, call, processor } = gatedProcessor({ batchSize: 2, retry: { random: () => 1 } });
    const controller = new AbortController();
    const { signal } = controller;
    const first = ['a', 'b'].map((input) => outcome(processor.process(input, { signal })));
    const second = ['c', 'd'].map((input) => outcome(processor.process(input, { signal })));
    const third = ['e', 'f'].map((input) => outcome(processor.process(input)));
    await clock.flush();
    call(0).end.resolve(['A', new Error('only b')]);
    await clock.flush();
    expect(calls.map(({ items }) => items)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    call(1).end.resolve([new Error('both'), new Error('both')]);
    await clock.flush();
    expect(calls).toHaveLength(2);
    controller.abort('enough');
    await clock.flush();
    expect(call(2).items).toEqual(['e', 'f']);
    call(2).end.resolve(['E', 'F']);
    expect(await Promise.all([...first, ...second, ...third])).toEqual(['A', 'enough', 'enough', 'enough', 'E', 'F']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('forgets an item that leaves during the delay', async () => {
    const { clock, calls, call, processor } = gatedProcessor({ retry: { random: () => 1 } });
    const controller = new AbortController();
    const item = outcome(processor.process('a', { signal: controller.signal }));
    await clock.flush();
    call(0).end.resolve([new Error('failed')]);
    await clock.flush();
    expect(processor.getMetrics()).toMatchObject({ delayed: 1, retried: 1 });
    controller.abort('enough');
    expect(await item).toBe('enough');
    expect(processor.getMetrics().delayed).toBe(0);
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(60_000);
    expect(calls).toHaveLength(1);
  });

  it('waits as long as the error asks for, and gives up when that is longer than maxDelayMs', async () => {
    const { clock, calls, call, processor } = gatedProcessor({
      retry: { random: () => 0, maxDelayMs: 5_000 },
    });
    const item = outcome(processor.process('a'));
    await clock.flush();
    call(0).end.resolve([Object.assign(new Error('soon'), { retryAfterMs: 4_000 })]);
    await clock.advance(3_999);
    expect(calls).toHaveLength(1);
    await clock.advance(1);
    const late = Object.assign(new Error('much later'), { retryAfterMs: 6_000 });
    call(1).end.resolve([late]);
    expect(await item).toBe(late);
  });
});

describe('the end', () => {
  it('flushes what waits and resolves when exactly those items have settled', async () => {
    const { clock, calls, call, processor } = gatedProcessor({ batchSize: 9, maxConcurrentBatches: 9 });
    const item = processor.process('a');
    let flushed = false;
    const flush = processor.flush().then(() => {
      flushed = true;
    });
    await clock.flush();
    expect(calls).toHaveLength(1);
    const later = processor.process('later');
    expect(flushed).toBe(false);
    call(0).end.resolve(['A']);
    await Promise.all([item, flush]);
    expect(calls).toHaveLength(1);
    await clock.advance(200);
    call(1).end.resolve(['LATER']);
    await later;
    await processor.flush();
  });

  it('drains on close and refuses new items', async () => {
    const { batches, processor } = loggingProcessor({ batchSize: 2, maxQueueSize: 2, onQueueFull: 'wait' });
    const results = ['a', 'b', 'c', 'd', 'e'].map((input) => processor.process(input));
    const closed = processor.close();
    expect(await outcome(processor.process('late'))).toBeInstanceOf(ClosedError);
    await closed;
    expect(await Promise.all(results)).toEqual(['A', 'B', 'C', 'D', 'E']);
    expect(batches).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    await processor[Symbol.asyncDispose]();
  });

  it('rejects every item with the reason on destroy, wherever it is, and leaves nothing behind', async () => {
    const { clock, call, processor } = gatedProcessor({
      maxConcurrentBatches: 2,
      maxQueueSize: 2,
      onQueueFull: 'wait',
      retry: { random: () => 1 },
    });
    const items = [outcome(processor.process('delayed'))];
    await clock.flush();
    call(0).end.resolve([new Error('again')]);
    await clock.flush();
    items.push(outcome(processor.process('running')));
    await clock.flush();
    const { signal } = call(1).context;
    items.push(outcome(processor.process('queued')), outcome(processor.process('in line')));
    expect(processor.getMetrics()).toMatchObject({
      delayed: 1,
      activeBatches: 1,
      queued: 1,
      waitingForRoom: 1,
    });
    const reason = new Error('shutting down');
    await processor.destroy(reason);
    expect(await Promise.all(items)).toEqual([reason, reason, reason, reason]);
    expect(signal.reason).toBe(reason);
    expect(clock.pendingTimers).toBe(0);
    expect(processor.getMetrics()).toMatchObject({
      delayed: 0,
      activeBatches: 0,
      queued: 0,
      waitingForRoom: 0,
    });
    await processor.destroy();
  });
});

describe('options and metrics', () => {
  it('refuses a handler that is no function', () => {
    expect(() => new BatchProcessor({ batchSize: 5 } as never)).toThrow(
      'BatchProcessor: handler: expected a function, got an object',
    );
  });

  it('lists every wrong option', () => {
    const options = { batchSize: 0, maxBatchWait: 5, retry: { maxAttempts: 0 } };
    expect(() => new BatchProcessor<string, string>(() => [], options)).toThrow(/batchSize: .*retry\.maxAttempts: /s);
    expect(() => new BatchProcessor<string, string>(() => [], options)).toThrow(/did you mean maxBatchWaitMs/);
  });

  it.each([
    { priority: Number.NaN },
    { timeoutMs: 0 },
    { timeoutMs: Number.POSITIVE_INFINITY },
    // Out of an environment variable.
    { timeoutMs: '5' as unknown as number },
  ])('rejects %o', async (options) => {
    const { processor } = loggingProcessor();
    expect(await outcome(processor.process('a', options))).toMatchObject({
      code: 'DESCRIBE_INPUT_INVALID',
    });
  });

  it('rejects only the item whose weight can not be told', async () => {
    const error = new Error('no weight');
    const { clock, processor } = loggingProcessor({
      weigh: (input) => {
        if (input === 'bad') throw error;
        return 1;
      },
    });
    const good = processor.process('good');
    expect(await outcome(processor.process('bad'))).toBe(error);
    await clock.advance(200);
    expect(await good).toBe('GOOD');
  });

  it('reports distributions in a frozen snapshot that survives JSON', async () => {
    const { clock, processor } = loggingProcessor({ batchSize: 2, maxBatchWaitMs: 100 });
    const results = Promise.all(['a', 'b', 'c'].map((input) => processor.process(input)));
    await clock.advance(100);
    await results;
    const metrics = processor.getMetrics();
    expect(metrics).toMatchObject({ accepted: 3, queued: 0, activeBatches: 0 });
    expect(metrics.batchSize).toMatchObject({ count: 2, min: 1, max: 2, mean: 1.5 });
    expect(metrics.waitMs).toMatchObject({ count: 3, min: 0, max: 100 });
    expect(metrics.succeededMs.count).toBe(3);
    expect(metrics.failedMs.count).toBe(0);
    expect(Object.isFrozen(metrics)).toBe(true);
    expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
  });
});
