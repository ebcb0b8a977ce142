import { Deferred } from '../../internal/async/deferred.ts';
import { onAbort } from '../../internal/async/signals.ts';

/** What the work of a flight is given. */
export interface FlightContext {
  /** Aborts when every caller that waited has left, with the reason of the last one. */
  readonly signal: AbortSignal;
}

export interface FlightResult<Value> {
  readonly value: Value;
  /** True for a caller that followed another caller's work. */
  readonly shared: boolean;
}

export interface FlightOptions {
  /** Takes this one caller out; the work goes on for the others. */
  readonly signal?: AbortSignal | undefined;
}

interface Flight<Value> {
  readonly controller: AbortController;
  readonly result: Promise<Value>;
  waiters: number;
}

/**
 * Runs one piece of work a key at a time in this process: whoever asks while it runs gets its outcome. Keys that
 * nobody waits for are forgotten, so nothing grows.
 *
 * @example
 * ```ts
 * import { SingleFlight } from '@describe-it/sdk/redis-cache';
 *
 * const flights = new SingleFlight<string>();
 * const load = () => flights.run('page', async ({ signal }) => (await fetch('https://example.com', { signal })).text());
 * const [first, second] = await Promise.all([load(), load()]); // one request
 * console.log(first.shared, second.shared); // false true
 * ```
 */
export class SingleFlight<Value = unknown> {
  readonly #flights = new Map<string, Flight<Value>>();

  /** Keys whose work is running and can be followed. */
  get size(): number {
    return this.#flights.size;
  }

  /**
   * Follows the work that runs for `key`, or starts `work`. Rejects with `signal.reason` when this caller's signal
   * aborts, else as the work does.
   */
  async run(
    key: string,
    work: (context: FlightContext) => PromiseLike<Value>,
    { signal }: FlightOptions = {},
  ): Promise<FlightResult<Value>> {
    signal?.throwIfAborted();
    const running = this.#flights.get(key);
    const flight = running ?? this.#start(key, work);
    const value = await this.#follow(key, flight, signal);
    return { value, shared: running !== undefined };
  }

  /** Whether work for `key` is running and can be followed. */
  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Lets later callers of `key` start anew; those that wait still get the outcome they wait for. */
  forget(key: string): void {
    this.#flights.delete(key);
  }

  #start(key: string, work: (context: FlightContext) => PromiseLike<Value>): Flight<Value> {
    const controller = new AbortController();
    const deferred = new Deferred<Value>();
    deferred.promise.catch(() => {});
    const flight: Flight<Value> = { controller, result: deferred.promise, waiters: 0 };
    this.#flights.set(key, flight);
    const end = () => this.#end(key, flight);
    callAsync(work, { signal: controller.signal }).then(
      (value) => {
        end();
        deferred.resolve(value);
      },
      (reason: unknown) => {
        end();
        deferred.reject(reason);
      },
    );
    return flight;
  }

  #follow(key: string, flight: Flight<Value>, signal: AbortSignal | undefined): Promise<Value> {
    flight.waiters += 1;
    if (signal === undefined) return flight.result;
    return new Promise<Value>((resolve, reject) => {
      const detach = onAbort(signal, (reason) => {
        reject(reason);
        flight.waiters -= 1;
        if (flight.waiters > 0) return;
        this.#end(key, flight);
        flight.controller.abort(reason);
      });
      flight.result.then(
        (value) => {
          detach();
          resolve(value);
        },
        (reason: unknown) => {
          detach();
          reject(reason);
        },
      );
    });
  }

  #end(key: string, flight: Flight<Value>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

/** Starts at once, and turns a synchronous throw into a rejection. */
async function callAsync<Argument, Value>(
  work: (argument: Argument) => PromiseLike<Value>,
  argument: Argument,
): Promise<Value> {
  return work(argument);
}
