import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { Deferred } from './deferred.ts';
import type { ConcurrencyOptions, Inputs, SettledInput } from './map-concurrently.ts';

/** A loop over texts, as its callers see it: `mapConcurrently` itself, or a method that passes its arguments on. */
export type TextLoop = (
  inputs: Inputs<string>,
  work: (input: string, signal: AbortSignal) => Promise<string>,
  options: ConcurrencyOptions,
) => AsyncGenerator<SettledInput<string, string>, void, undefined>;

const resultOf = (input: string) => `result of ${input}`;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Work whose calls are settled by hand, in any order. */
const byHand = () => {
  const calls = new Map<string, Deferred<string>>();
  const work = (input: string, signal: AbortSignal) => {
    const call = new Deferred<string>();
    calls.set(input, call);
    signal.addEventListener('abort', () => call.reject(signal.reason), { once: true });
    return call.promise;
  };
  const settle = (input: string) => calls.get(input)?.resolve(resultOf(input));
  return { calls, work, settle };
};

/** The behaviour that every loop with bounded concurrency has. */
export const itLoopsConcurrently = (loop: TextLoop): void => {
  it('yields every input once, whatever the order of completion', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { maxLength: 40 }),
        fc.integer({ min: 1, max: 8 }),
        fc.boolean(),
        fc.scheduler(),
        async (fates, concurrency, ordered, scheduler) => {
          let inWork = 0;
          let most = 0;
          const work = async (input: string) => {
            inWork += 1;
            most = Math.max(most, inWork);
            await scheduler.schedule(Promise.resolve());
            inWork -= 1;
            if (!fates[Number(input)]) throw new Error(`no ${input}`);
            return resultOf(input);
          };
          const seen: number[] = [];
          const consumer = (async () => {
            const inputs = fates.map((_, index) => String(index));
            for await (const item of loop(inputs, work, { concurrency, ordered })) {
              expect(item.status).toBe(fates[item.index] ? 'fulfilled' : 'rejected');
              expect(item.input).toBe(String(item.index));
              seen.push(item.index);
            }
          })();
          await scheduler.waitFor(consumer);
          expect(seen.toSorted((left, right) => left - right)).toEqual(fates.map((_, index) => index));
          if (ordered) expect(seen).toEqual(seen.toSorted((left, right) => left - right));
          expect(most).toBeLessThanOrEqual(concurrency);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('reads no further than the consumer allows', async () => {
    let read = 0;
    function* endless() {
      while (true) {
        read += 1;
        yield String(read);
      }
    }
    const iteration = loop(endless(), async (input) => resultOf(input), { concurrency: 4 });
    await iteration.next();
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(read).toBeLessThanOrEqual(5);
    await iteration.return();
  });

  it('aborts what is in work and closes the source when the consumer stops', async () => {
    const { calls, work, settle } = byHand();
    let closed = false;
    async function* source() {
      try {
        yield 'a';
        yield 'b';
        yield 'c';
      } finally {
        closed = true;
      }
    }
    const iteration = loop(source(), work, { concurrency: 2 });
    const first = iteration.next();
    await vi.waitFor(() => expect(calls.has('a')).toBe(true), 30_000);
    settle('a');
    await expect(first).resolves.toMatchObject({ value: { index: 0, status: 'fulfilled' } });
    await vi.waitFor(() => expect(calls.has('b')).toBe(true), 30_000);
    await iteration.return();
    await turn();
    await expect(calls.get('b')?.promise).rejects.toThrow('the iteration ended');
    expect(closed).toBe(true);
  });

  it('throws the reason of its signal at once and leaves no listener', async () => {
    const { work } = byHand();
    const controller = new AbortController();
    const iteration = loop(['a', 'b'], work, { concurrency: 2, signal: controller.signal });
    const next = iteration.next();
    await turn();
    controller.abort('enough');
    await expect(next).rejects.toBe('enough');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('yields what is in work before it throws what the source threw', async () => {
    const { calls, work, settle } = byHand();
    async function* source() {
      yield 'a';
      throw new Error('source');
    }
    const iteration = loop(source(), work, { concurrency: 2 });
    const next = iteration.next();
    await vi.waitFor(() => expect(calls.has('a')).toBe(true), 30_000);
    settle('a');
    await expect(next).resolves.toMatchObject({ value: { input: 'a' } });
    await expect(iteration.next()).rejects.toThrow('source');
  });

  it('names what is not iterable', async () => {
    const iteration = loop(5 as unknown as string[], async (input) => resultOf(input), { concurrency: 2 });
    await expect(iteration.next()).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID', field: 'inputs' });
  });

  it('ends at a result of its source that is none, as `for await` does', async () => {
    const source = { [Symbol.asyncIterator]: () => ({ next: async () => 5 as never }) };
    const iteration = loop(source, async (input: string) => input, { concurrency: 2 });
    await expect(iteration.next()).rejects.toThrow('Iterator result 5 is not an object');
  });

  it('waits no longer for its source once no more is taken, and yields what was in work', async () => {
    const { work, settle } = byHand();
    const close = vi.fn(async () => ({ done: true as const, value: undefined }));
    const next = vi
      .fn<() => Promise<IteratorResult<string>>>()
      .mockResolvedValueOnce({ done: false, value: 'a' })
      .mockReturnValue(new Promise(() => {}));
    const source = { [Symbol.asyncIterator]: () => ({ next, return: close }) };
    const refusal = new AbortController();
    const iteration = loop(source, work, { concurrency: 2, refused: refusal.signal });
    const first = iteration.next();
    await vi.waitFor(() => expect(next).toHaveBeenCalledTimes(2), 30_000);
    refusal.abort('no more');
    settle('a');
    await expect(first).resolves.toMatchObject({ value: { input: 'a', status: 'fulfilled' } });
    await expect(iteration.next()).rejects.toBe('no more');
    expect(next).toHaveBeenCalledTimes(2);
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('ends as usual where all had been read when no more is taken', async () => {
    const { calls, work, settle } = byHand();
    const refusal = new AbortController();
    const iteration = loop(['a'], work, { concurrency: 2, refused: refusal.signal });
    const first = iteration.next();
    await vi.waitFor(() => expect(calls.has('a')).toBe(true), 30_000);
    refusal.abort('no more');
    settle('a');
    await expect(first).resolves.toMatchObject({ value: { input: 'a' } });
    await expect(iteration.next()).resolves.toMatchObject({ done: true });
  });

  it('takes the bytes of one image for no inputs, though numbers could be read from them', async () => {
    const bytes = new Uint8Array(3) as unknown as string[];
    const iteration = loop(bytes, async (input) => resultOf(input), { concurrency: 2 });
    await expect(iteration.next()).rejects.toMatchObject({
      code: 'DESCRIBE_INPUT_INVALID',
      field: 'inputs',
      message: expect.stringContaining('Pass a list'),
    });
  });
};
