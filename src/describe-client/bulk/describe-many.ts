import { InputError } from '../../errors/input-error.ts';
import { childController, onAbort } from '../../internal/async/signals.ts';
import { systemClock } from '../../internal/clock.ts';
import { boolean, integer, shape } from '../../internal/options/option-checks.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import type { DescribeInput } from '../call/describe-request.ts';
import type { DescribeResult } from '../call/describe-result.ts';
import { abortSignal, throwInputIssues } from '../options/input-issues.ts';

export interface DescribeManyOptions {
  /** Images in work, or described and not yet taken, at a time; a whole number from 1 to 10000. @defaultValue 16 */
  readonly concurrency?: number | undefined;
  /** Yields in the order of the inputs rather than of completion. @defaultValue false */
  readonly ordered?: boolean | undefined;
  /** Ends the iteration at once: it throws the signal's reason, and what is in work is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** One input and what became of it. */
export type DescribeManyItem<Data = unknown, Value = DescribeResult<Data>> =
  | {
      readonly index: number;
      readonly input: DescribeInput<Data>;
      readonly status: 'fulfilled';
      readonly value: Value;
    }
  | {
      readonly index: number;
      readonly input: DescribeInput<Data>;
      readonly status: 'rejected';
      readonly reason: unknown;
    };

export const ITERATION_CHECKS = {
  concurrency: integer({ min: 1, max: 10_000 }),
  signal: abortSignal(),
};
const checkOptions = shape({ ...ITERATION_CHECKS, ordered: boolean() });

type DescribeOne<Data> = (input: DescribeInput<Data>, signal: AbortSignal) => Promise<DescribeResult<Data>>;

/** What a run needs to know of the source of its inputs. */
type InputSource<Data> = Iterable<DescribeInput<Data>> | AsyncIterable<DescribeInput<Data>>;

/**
 * Describes inputs of any number with bounded concurrency and memory. Nothing is read ahead of the consumer: what is
 * in work and what waits to be taken never exceed `concurrency` together. Once `refused` aborts it reads no more, also
 * where the source keeps it waiting, and throws that reason when what is in work has been yielded.
 */
export async function* describeEach<Data>(
  inputs: InputSource<Data>,
  describeOne: DescribeOne<Data>,
  given: DescribeManyOptions = {},
  refused?: AbortSignal,
): AsyncGenerator<DescribeManyItem<Data>, void, undefined> {
  const options = callOptions(given);
  throwInputIssues(checkOptions(options, ''));
  const { concurrency = 16, ordered = false, signal } = options;
  const iterator = iteratorOf(inputs);
  const run = childController(signal);
  const ready = new Map<number, DescribeManyItem<Data>>();
  let inWork = 0;
  let nextIndex = 0;
  let nextToYield = 0;
  let reading = false;
  /** The source has given its last, so that it need not be told. */
  let ended = false;
  /** Nothing more is read. */
  let exhausted = false;
  let failure: { readonly error: unknown } | undefined;
  let wake = () => {};
  const turns = new LoopTurns();

  const finish = (item: DescribeManyItem<Data>) => {
    inWork -= 1;
    ready.set(item.index, item);
    wake();
  };
  const begin = (input: DescribeInput<Data>) => {
    const index = nextIndex;
    nextIndex += 1;
    inWork += 1;
    describeOne(input, run.signal).then(
      (value) => finish({ index, input, status: 'fulfilled', value }),
      (reason: unknown) => finish({ index, input, status: 'rejected', reason }),
    );
  };
  const readMore = async () => {
    if (reading) return;
    reading = true;
    try {
      while (!exhausted && !run.signal.aborted && inWork + ready.size < concurrency) {
        await turns.next();
        const { done, value } = await iterator.next();
        ended = done === true;
        if (ended) exhausted = true;
        else if (!exhausted && !run.signal.aborted) begin(value);
      }
    } catch (error) {
      ended = true;
      exhausted = true;
      failure ??= { error };
    }
    reading = false;
    wake();
  };
  const takeReady = () => {
    const index = ordered ? nextToYield : firstKey(ready);
    const item = index === undefined ? undefined : ready.get(index);
    if (item !== undefined) {
      ready.delete(item.index);
      nextToYield += 1;
    }
    return item;
  };

  const detach = onAbort(run.signal, () => wake());
  const detachRefusal = onAbort(refused, (error) => {
    if (exhausted) return;
    exhausted = true;
    failure = { error };
    wake();
  });
  try {
    while (true) {
      run.signal.throwIfAborted();
      void readMore();
      const item = takeReady();
      if (item !== undefined) {
        yield item;
        continue;
      }
      if (exhausted && inWork === 0 && ready.size === 0 && (!reading || failure !== undefined)) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failure !== undefined) throw failure.error;
  } finally {
    detach();
    detachRefusal();
    run.abort(new DOMException('the iteration ended', 'AbortError'));
    run.detach();
    if (!ended) void closeSource(iterator);
  }
}

/** How long inputs may follow one another before timers and sockets of the process run again. */
const TURN_MS = 4;

/** Gives the event loop a turn when items settle so fast (from memory, or by being wrong) that it would starve. */
export class LoopTurns {
  #startedAtMs = systemClock.now();

  /** Resolves at once while the turn is young; of the process, not of a caller's clock. */
  async next(): Promise<void> {
    if (systemClock.now() - this.#startedAtMs < TURN_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#startedAtMs = systemClock.now();
  }
}

/** A source that is not asked for more is told so; what it answers does not matter any more. */
export async function closeSource(iterator: { return?(): unknown }): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // The iteration has ended already; a source that fails to close can't change that.
  }
}

const firstKey = (map: ReadonlyMap<number, unknown>): number | undefined => map.keys().next().value;

type InputIterator<Data> = {
  next(): Promise<IteratorResult<DescribeInput<Data>>> | IteratorResult<DescribeInput<Data>>;
  return?(): unknown;
};

/** Iterates over either kind of iterable. */
export function iteratorOf<Data>(inputs: InputSource<Data>): InputIterator<Data> {
  // Bytes are iterable, too: one image, and not thousands of numbers.
  if (typeof inputs === 'object' && inputs !== null && !ArrayBuffer.isView(inputs)) {
    if (Symbol.asyncIterator in inputs) return inputs[Symbol.asyncIterator]();
    if (Symbol.iterator in inputs) return inputs[Symbol.iterator]();
  }
  throw new InputError('inputs', 'expected an iterable or an async iterable of inputs');
}
