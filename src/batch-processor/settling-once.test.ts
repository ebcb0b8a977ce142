import { describe, expect, it } from 'vitest';
import { BatchHandlerError, InputError, TimeoutError } from '../errors/index.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { BatchProcessor } from './batch-processor.ts';
import type { BatchProcessorOptions } from './batch-processor-options.ts';
import type { BatchHandler } from './queue/batch-handler.ts';

const outcome = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

function processorOf(handler: BatchHandler<string, unknown>, options: BatchProcessorOptions<string> = {}) {
  const clock = new ManualClock();
  const processor = new BatchProcessor<string, unknown>(handler, { clock, batchSize: 2, ...options });
  /** Outcomes of these inputs, in order, once `afterMs` have passed. */
  const outcomes = async (inputs: readonly string[], afterMs = 300_000) => {
    const all = Promise.all(inputs.map((input) => outcome(processor.process(input))));
    await clock.advance(afterMs);
    return all;
  };
  return { clock, processor, outcomes };
}

/** An object that throws whatever is done with it. */
const hostile = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe('a handler that gives a promise an item', () => {
  it('gives each caller what its own promise settles with', async () => {
    const no = new Error('no');
    const { outcomes } = processorOf((items) =>
      items.map(async (item) => {
        if (item === 'bad') throw no;
        return item.toUpperCase();
      }),
    );
    expect(await outcomes(['good', 'bad'])).toEqual(['GOOD', no]);
  });

  it('wraps what is no error', async () => {
    const { outcomes } = processorOf((items) => items.map(() => Promise.reject('just words')));
    expect(await outcomes(['a'])).toMatchObject([{ code: 'DESCRIBE_BATCH_HANDLER', cause: 'just words' }]);
  });

  it('is bounded by the time of the item and by that of the handler', async () => {
    const never = () => new Promise<never>(() => {});
    const { processor, clock } = processorOf((items) => items.map(never), { handlerTimeoutMs: 1_000 });
    const short = outcome(processor.process('short', { timeoutMs: 100 }));
    const long = outcome(processor.process('long'));
    await clock.advance(100);
    expect(await short).toBeInstanceOf(TimeoutError);
    await clock.advance(900);
    expect(await long).toBeInstanceOf(BatchHandlerError);
    await processor.close();
  });

  it('may settle an item early by one, which does not outlive the item', async () => {
    const { processor, clock } = processorOf((_, { resolve }) => {
      resolve(0, Promise.resolve('early'));
      resolve(1, new Promise(() => {}));
      return new Promise<never>(() => {});
    });
    const items = ['a', 'b'].map((input) => outcome(processor.process(input, { timeoutMs: 100 })));
    await clock.advance(100);
    expect(await items[0]).toBe('early');
    expect(await items[1]).toBeInstanceOf(TimeoutError);
  });
});

describe('results that throw when they are looked at', () => {
  it.each<[string, () => readonly unknown[]]>([
    [
      'an item',
      () =>
        Object.defineProperty(['a', 'b'], 1, {
          get: () => {
            throw new Error('trap');
          },
        }),
    ],
    [
      'their length',
      () =>
        new Proxy(['a', 'b'], {
          get: () => {
            throw new Error('trap');
          },
        }),
    ],
  ])('in %s end every item with a typed error', async (_, results) => {
    const { processor, outcomes } = processorOf(() => results(), { retry: { maxAttempts: 1 } });
    for (const error of await outcomes(['a', 'b'])) expect(error).toBeInstanceOf(BatchHandlerError);
    await processor.close();
  });

  it('are handed on as they are where they are values', async () => {
    const trap = Object.defineProperty({}, Symbol.toStringTag, {
      get: () => {
        throw new Error('trap');
      },
    });
    const { outcomes } = processorOf((items) => items.map(() => trap));
    expect((await outcomes(['a', 'b'])).map((value) => value === trap)).toEqual([true, true]);
  });

  it('end the item where nobody can tell what they are', async () => {
    const { processor, outcomes } = processorOf(() => ['fine', hostile()]);
    const [fine, broken] = await outcomes(['a', 'b']);
    expect([fine, broken instanceof BatchHandlerError]).toEqual(['fine', true]);
    await processor.close();
  });

  it('settle also where a retry would ask an error how long to wait', async () => {
    const error = Object.defineProperty(new Error('odd'), 'retryAfterMs', {
      get: () => {
        throw new Error('trap');
      },
    });
    const { processor, outcomes } = processorOf((items) => items.map(() => error), { retry: {} });
    expect((await outcomes(['a'])).map((got) => got === error)).toEqual([true]);
    await processor.close();
  });

  it('settle when they are thrown', async () => {
    const { processor, outcomes } = processorOf(
      () => {
        throw hostile();
      },
      { retry: {} },
    );
    for (const error of await outcomes(['a', 'b'])) expect(error).toBeInstanceOf(BatchHandlerError);
    await processor.close();
  });
});

describe('a retry whose own parts are broken', () => {
  it.each<[string, () => number]>([
    [
      'throws',
      () => {
        throw new Error('trap');
      },
    ],
    ['gives no number', () => Number.NaN],
    ['gives what is out of bounds', () => Number.POSITIVE_INFINITY],
  ])('goes on when its source of jitter %s', async (_, random) => {
    let calls = 0;
    const { processor, outcomes } = processorOf(
      (items) => items.map((item) => (calls++ === 0 ? new Error('once') : item)),
      { batchSize: 1, retry: { random } },
    );
    expect(await outcomes(['a'])).toEqual(['a']);
    await processor.close();
  });

  it('waits as long as it is told where jitter would pass what a timer can do', async () => {
    const longest = 2 ** 31 - 1;
    let calls = 0;
    const busy = Object.assign(new Error('busy'), { retryAfterMs: longest });
    const { clock, processor } = processorOf((items) => items.map((item) => (calls++ === 0 ? busy : item)), {
      batchSize: 1,
      retry: { maxDelayMs: longest, random: () => 0.9 },
    });
    const result = outcome(processor.process('a'));
    await clock.advance(longest - 1);
    expect(calls).toBe(1);
    await clock.advance(1);
    expect(await result).toBe('a');
  });
});

describe('callbacks and signals that are not what they should be', () => {
  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, '5'])('turns an item away that weighs %j', async (weight) => {
    const { outcomes } = processorOf((items) => items, { weigh: () => weight as number });
    expect((await outcomes(['a']))[0]).toBeInstanceOf(InputError);
  });

  it('turns a signal away that is none, and still closes', async () => {
    const { processor } = processorOf((items) => items);
    const signal = { aborted: false } as AbortSignal;
    expect(await outcome(processor.process('a', { signal }))).toMatchObject({ field: 'signal' });
    await processor.close();
    expect(processor.getMetrics().accepted).toBe(0);
  });

  it('honours a signal that aborts while the item is weighed', async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const { clock, processor } = processorOf(
      (items) => {
        seen.push(...items);
        return items;
      },
      {
        weigh: () => {
          controller.abort('on second thoughts');
          return 1;
        },
      },
    );
    expect(await outcome(processor.process('a', { signal: controller.signal }))).toBe('on second thoughts');
    await clock.advance(1_000);
    expect(seen).toEqual([]);
    await processor.close();
  });

  it('turns an item away when its own weighing closes the processor', async () => {
    const { processor } = processorOf((items) => items, {
      weigh: () => {
        void processor.close();
        return 1;
      },
    });
    expect(await outcome(processor.process('a'))).toMatchObject({ code: 'DESCRIBE_CLOSED' });
    await processor.close();
  });
});

describe('an item that leaves early', () => {
  it.each(['abort', 'timeout'] as const)('by %s leaves no timer behind', async (how) => {
    const { clock, processor } = processorOf((items) => items, { maxBatchWaitMs: 3_600_000 });
    const controller = new AbortController();
    const { signal } = controller;
    const item = outcome(processor.process('a', how === 'abort' ? { signal } : { timeoutMs: 10 }));
    await clock.flush();
    if (how === 'abort') controller.abort('enough');
    else await clock.advance(10);
    await item;
    await clock.flush();
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves alone those that stay, whose wait ends when it would have', async () => {
    const { clock, processor } = processorOf((items) => items, { batchSize: 9, maxBatchWaitMs: 100 });
    const controller = new AbortController();
    const gone = outcome(processor.process('a', { signal: controller.signal }));
    await clock.advance(50);
    const stays = processor.process('b');
    await clock.flush();
    controller.abort('enough');
    expect(await gone).toBe('enough');
    await clock.advance(100);
    expect(await stays).toBe('b');
  });

  it('does so together with 20,000 others of one signal, half of them waiting for capacity, in a moment', async () => {
    const { processor } = processorOf((items) => items, {
      batchSize: 20_000,
      maxQueueSize: 10_000,
      onQueueFull: 'wait',
    });
    const controller = new AbortController();
    const { signal } = controller;
    const items = Array.from({ length: 20_000 }, (_, index) =>
      outcome(processor.process(`${index}`, { signal, priority: index % 7 })),
    );
    controller.abort('enough');
    expect(new Set(await Promise.all(items))).toEqual(new Set(['enough']));
    expect(processor.getMetrics()).toMatchObject({ queued: 0, waitingForRoom: 0, aborted: 20_000 });
    await processor.close();
  });
});

describe('a handler that yields its place', () => {
  it('runs on beside the next, once, and the bound holds for those that do not', async () => {
    const ends: (() => void)[] = [];
    const { clock, processor } = processorOf(
      async (items, { yieldPlace }) => {
        if (items[0]?.startsWith('yields')) {
          yieldPlace();
          yieldPlace();
        }
        await new Promise<void>((resolve) => ends.push(resolve));
        yieldPlace();
        return items;
      },
      { batchSize: 1, maxConcurrentBatches: 1 },
    );
    const items = ['yields 1', 'yields 2', 'stays', 'waits'].map((input) => processor.process(input));
    await clock.flush();
    expect(processor.getMetrics()).toMatchObject({ activeBatches: 3, queued: 1 });
    ends[0]?.();
    ends[1]?.();
    await clock.flush();
    expect(processor.getMetrics()).toMatchObject({ activeBatches: 1, queued: 1 });
    ends[2]?.();
    await clock.flush();
    ends[3]?.();
    expect(await Promise.all(items)).toHaveLength(4);
    await processor.close();
  });

  it('yields nothing once it has ended', async () => {
    const yields: (() => void)[] = [];
    const { clock, processor } = processorOf(
      async (items, { yieldPlace }) => {
        yields.push(yieldPlace);
        return items[0] === 'hangs' ? new Promise<never>(() => {}) : items;
      },
      { batchSize: 1, maxConcurrentBatches: 1 },
    );
    await processor.process('ends');
    yields[0]?.();
    const rest = ['hangs', 'waits'].map((input) => outcome(processor.process(input)));
    await clock.flush();
    yields[0]?.();
    await clock.flush();
    expect(processor.getMetrics()).toMatchObject({ activeBatches: 1, queued: 1 });
    await processor.destroy('enough');
    expect(await Promise.all(rest)).toEqual(['enough', 'enough']);
  });
});

describe('the end', () => {
  it('of a full processor with a line settles everything in order', async () => {
    const seen: string[] = [];
    const { clock, processor } = processorOf(
      async (items) => {
        seen.push(...items);
        return items;
      },
      { batchSize: 2, maxConcurrentBatches: 1, maxQueueSize: 2, onQueueFull: 'wait' },
    );
    const inputs = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const items = Promise.all(inputs.map((input) => processor.process(input)));
    const closed = processor.close();
    await clock.flush();
    await closed;
    expect(await items).toEqual(inputs);
    expect(seen).toEqual(inputs);
    expect(clock.pendingTimers).toBe(0);
  });

  it('may come from the handler itself', async () => {
    const { processor, outcomes } = processorOf(
      (items) => {
        void processor.destroy('the end');
        return items;
      },
      { batchSize: 1, maxConcurrentBatches: 1 },
    );
    expect(await outcomes(['a', 'b'])).toEqual(['the end', 'the end']);
    await processor.close();
  });
});
