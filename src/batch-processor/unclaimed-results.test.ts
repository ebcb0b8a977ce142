import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { BatchProcessor } from './batch-processor.ts';
import type { BatchProcessorOptions } from './batch-processor-options.ts';
import type { BatchHandler } from './queue/batch-handler.ts';

type Handler = BatchHandler<string, unknown>;

let unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);

beforeEach(() => {
  unhandled = [];
  process.on('unhandledRejection', note);
});

afterEach(() => {
  process.off('unhandledRejection', note);
});

/** Rejections become unhandled once the microtasks are done, before the next turn of the loop. */
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A handler's results arrive only when `open` is called; each of them rejects. */
function lateHandler(resultsOf: (items: readonly string[]) => unknown) {
  const gate = new Deferred<void>();
  const handler = (async (items: readonly string[]) => {
    await gate.promise;
    return resultsOf(items);
  }) as Handler;
  return { handler, open: () => gate.resolve() };
}

const rejecting = (items: readonly string[]) => items.map((item) => Promise.reject(new Error(`late ${item}`)));

function processorOf(handler: Handler, options: BatchProcessorOptions<string> = {}) {
  const clock = new ManualClock();
  return { clock, processor: new BatchProcessor<string, unknown>(handler, { clock, ...options }) };
}

/** Runs one item to the moment at which its handler works. */
async function underWay(resultsOf = rejecting, options: BatchProcessorOptions<string> = {}) {
  const { handler, open } = lateHandler(resultsOf);
  const { clock, processor } = processorOf(handler, options);
  const abort = new AbortController();
  const result = processor.process('a', { signal: abort.signal, timeoutMs: 5_000 }).catch((error) => error);
  await clock.advance(1_000);
  return { clock, processor, result, abort, open };
}

/** The results come when nobody waits for them. */
const endings = {
  'its caller aborted': async () => {
    const { abort, result, open } = await underWay();
    abort.abort(new Error('gone'));
    await result;
    open();
  },
  'its item timed out': async () => {
    const { clock, result, open } = await underWay();
    await clock.advance(5_000);
    await result;
    open();
  },
  'its handler timed out': async () => {
    const { clock, result, open } = await underWay(rejecting, { handlerTimeoutMs: 2_000 });
    await clock.advance(2_000);
    await result;
    open();
  },
  'the processor was destroyed': async () => {
    const { processor, result, open } = await underWay();
    await processor.destroy(new Error('end'));
    await result;
    open();
  },
  'an early result was given': async () => {
    const { clock, processor } = processorOf((items, { resolve }) => {
      resolve(0, 'early');
      return rejecting(items) as never;
    });
    const result = processor.process('a');
    await clock.advance(1_000);
    expect(await result).toBe('early');
  },
} satisfies Record<string, () => Promise<void>>;

/** The results cannot be used, and a caller waits. */
const wrongResults = {
  'too many': (items: readonly string[]) => [...rejecting(items), ...rejecting(items)],
  'too few': (items: readonly string[]) => rejecting(items.slice(1)),
  'a set': (items: readonly string[]) => new Set(rejecting(items)),
  'a map': (items: readonly string[]) => new Map(rejecting(items).entries()),
  'an object': (items: readonly string[]) => ({ ...rejecting(items) }),
} satisfies Record<string, (items: readonly string[]) => unknown>;

describe('promises of items that nobody takes any more', () => {
  it.each(Object.entries(endings))('end no process once %s', async (_name, run) => {
    await run();
    await nextTurn();
    expect(unhandled).toEqual([]);
  });

  it.each(Object.entries(wrongResults))('end no process as %s', async (_name, resultsOf) => {
    const { handler, open } = lateHandler(resultsOf);
    open();
    const { clock, processor } = processorOf(handler, { batchSize: 2 });
    const results = Promise.allSettled([processor.process('a'), processor.process('b')]);
    await clock.advance(1_000);
    expect(await results).toMatchObject([
      { status: 'rejected', reason: { code: 'DESCRIBE_BATCH_HANDLER' } },
      { status: 'rejected', reason: { code: 'DESCRIBE_BATCH_HANDLER' } },
    ]);
    await nextTurn();
    expect(unhandled).toEqual([]);
  });
});
