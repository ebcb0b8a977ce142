import { systemClock } from '../clock.ts';
import { describeKind, wrongInput } from '../options/option-checks.ts';
import { callOptions } from '../options/own-options.ts';
import { type ChildController, childController, onAbort } from './signals.ts';

/** The inputs of a loop, in any number. */
export type Inputs<Input> = Iterable<Input> | AsyncIterable<Input>;

/** One input and the outcome of its work. */
export type SettledInput<Input, Value> =
  | { readonly index: number; readonly input: Input; readonly status: 'fulfilled'; readonly value: Value }
  | { readonly index: number; readonly input: Input; readonly status: 'rejected'; readonly reason: unknown };

export interface ConcurrencyOptions {
  /** Most inputs in work, or settled and not yet yielded, at a time. */
  readonly concurrency: number;
  /** Yields in the order of the inputs rather than of completion. @defaultValue false */
  readonly ordered?: boolean | undefined;
  /** Ends the loop at once: it throws the signal's reason, and the work that runs is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Reads no more inputs once aborted: the loop yields the work that runs, then throws this signal's reason. */
  readonly refused?: AbortSignal | undefined;
}

/**
 * Works on any number of inputs with bounded concurrency and memory, and yields how each ended. Nothing is read ahead
 * of the consumer. When the loop ends early, it aborts the work that runs and closes the source without waiting for it.
 * @throws the error of the source, after the work that runs was yielded. A failure of `work` is yielded, not thrown.
 * @throws `DESCRIBE_INPUT_INVALID` for inputs that are not iterable.
 */
export async function* mapConcurrently<Input, Value>(
  inputs: Inputs<Input>,
  work: (input: Input, signal: AbortSignal) => Promise<Value>,
  options: ConcurrencyOptions,
): AsyncGenerator<SettledInput<Input, Value>, void, undefined> {
  const loop = new ConcurrentLoop(inputs, work, options);
  try {
    for (let item = await loop.next(); item !== undefined; item = await loop.next()) yield item;
  } finally {
    loop.end();
  }
}

class ConcurrentLoop<Input, Value> {
  readonly #source: SourceIterator<Input>;
  readonly #work: (input: Input, signal: AbortSignal) => Promise<Value>;
  readonly #concurrency: number;
  readonly #ordered: boolean;
  readonly #controller: ChildController;
  readonly #detachers: (() => void)[];
  readonly #ready = new Map<number, SettledInput<Input, Value>>();
  #running = 0;
  #started = 0;
  #yielded = 0;
  #isReading = false;
  /** The source has ended by itself, so it need not be closed. */
  #sourceEnded = false;
  /** Whether no more inputs are read. */
  #isExhausted = false;
  #failure: { readonly error: unknown } | undefined;
  #wake = () => {};
  #turnStartedAtMs = systemClock.now();

  constructor(
    inputs: Inputs<Input>,
    work: (input: Input, signal: AbortSignal) => Promise<Value>,
    options: ConcurrencyOptions,
  ) {
    const { concurrency, ordered = false, signal, refused } = callOptions(options);
    this.#source = iteratorOf(inputs);
    this.#work = work;
    this.#concurrency = concurrency;
    this.#ordered = ordered;
    this.#controller = childController(signal);
    this.#detachers = [
      onAbort(this.#controller.signal, () => this.#wake()),
      onAbort(refused, (error) => {
        if (!this.#isExhausted) this.#stopReading(error);
      }),
      this.#controller.detach,
    ];
  }

  /** The next settled input; undefined after the last. */
  async next(): Promise<SettledInput<Input, Value> | undefined> {
    for (;;) {
      this.#controller.signal.throwIfAborted();
      void this.#read();
      const item = this.#takeReady();
      if (item !== undefined) return item;
      if (this.#isOver()) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    return undefined;
  }

  end(): void {
    this.#controller.abort(new DOMException('the iteration ended', 'AbortError'));
    for (const detach of this.#detachers) detach();
    if (!this.#sourceEnded) void closeSource(this.#source);
  }

  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#mayRead() && this.#running + this.#ready.size < this.#concurrency) {
        await this.#yieldThread();
        const result = await this.#source.next();
        // Otherwise it would be the first of endless inputs that are undefined.
        if (Object(result) !== result) throw new TypeError(`Iterator result ${String(result)} is not an object`);
        const { done, value } = result;
        if (done === true) {
          this.#sourceEnded = true;
          this.#isExhausted = true;
        } else if (this.#mayRead()) {
          this.#start(value);
        }
      }
    } catch (error) {
      this.#sourceEnded = true;
      this.#stopReading(error);
    }
    this.#isReading = false;
    this.#wake();
  }

  #mayRead(): boolean {
    return !this.#isExhausted && !this.#controller.signal.aborted;
  }

  #stopReading(error: unknown): void {
    this.#isExhausted = true;
    this.#failure ??= { error };
    this.#wake();
  }

  #start(input: Input): void {
    const index = this.#started;
    this.#started += 1;
    this.#running += 1;
    this.#work(input, this.#controller.signal).then(
      (value) => this.#settle({ index, input, status: 'fulfilled', value }),
      (reason: unknown) => this.#settle({ index, input, status: 'rejected', reason }),
    );
  }

  #settle(item: SettledInput<Input, Value>): void {
    this.#running -= 1;
    this.#ready.set(item.index, item);
    this.#wake();
  }

  #takeReady(): SettledInput<Input, Value> | undefined {
    const index = this.#ordered ? this.#yielded : this.#ready.keys().next().value;
    const item = index === undefined ? undefined : this.#ready.get(index);
    if (item === undefined) return undefined;
    this.#ready.delete(item.index);
    this.#yielded += 1;
    return item;
  }

  /** Once reading has failed or was refused, the loop does not wait for its source any more. */
  #isOver(): boolean {
    const isRead = this.#isExhausted && (!this.#isReading || this.#failure !== undefined);
    return isRead && this.#running === 0 && this.#ready.size === 0;
  }

  /** Inputs that settle at once, from memory or because they are wrong, would otherwise starve timers and sockets. */
  async #yieldThread(): Promise<void> {
    if (systemClock.now() - this.#turnStartedAtMs < MAX_TURN_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#turnStartedAtMs = systemClock.now();
  }
}

/** Longest time that the loop may hold the thread before timers and sockets of the process run again. */
const MAX_TURN_MS = 4;

interface SourceIterator<Input> {
  next(): Promise<IteratorResult<Input>> | IteratorResult<Input>;
  return?(): unknown;
}

function iteratorOf<Input>(inputs: Inputs<Input>): SourceIterator<Input> {
  // Bytes are iterable too, but they are one image and not thousands of numbers.
  if (typeof inputs === 'object' && inputs !== null && !ArrayBuffer.isView(inputs)) {
    if (Symbol.asyncIterator in inputs) return inputs[Symbol.asyncIterator]();
    if (Symbol.iterator in inputs) return inputs[Symbol.iterator]();
  }
  throw wrongInput('inputs', 'an iterable or an async iterable of inputs', inputs, kindOfInputs);
}

const kindOfInputs = (inputs: unknown): string =>
  ArrayBuffer.isView(inputs) ? 'bytes, which are one input. Pass a list of it' : describeKind(inputs);

async function closeSource(source: SourceIterator<unknown>): Promise<void> {
  try {
    await source.return?.();
  } catch {
    // The loop has ended already. A source that fails to close can't change that.
  }
}
