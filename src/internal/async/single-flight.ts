import { callOptions } from '../options/own-options.ts';
import { onAbort, settleAfter } from './signals.ts';

/** The argument of the work of a flight. */
export interface FlightContext {
  /** Aborts when every caller has left, with the reason of the last one. */
  readonly signal: AbortSignal;
  /**
   * Shows the callers how the work goes on, such as a part of its result. Each of them gets the object, whenever it
   * joins. @internal
   */
  readonly share?: ((progress: object) => void) | undefined;
}

export interface FlightResult<Value> {
  readonly value: Value;
  /** Whether this caller joined the work of another call. */
  readonly shared: boolean;
}

export interface FlightOptions {
  /** Its abort ends this caller's wait; the work goes on for the others. */
  readonly signal?: AbortSignal | undefined;
  /** Gets the object that the work shares, now or when it does. It must not throw. @internal */
  readonly onShared?: ((progress: object) => void) | undefined;
}

interface Flight<Value> {
  readonly controller: AbortController;
  readonly result: Promise<Value>;
  callers: number;
  progress: object | undefined;
  /** The callers that want its progress. */
  readonly watching: ((progress: object) => void)[];
}

/**
 * Runs the work of a key once at a time in this process. A call during that time joins it and gets its outcome. A key
 * without running work is not held, so nothing grows.
 *
 * @example
 * ```ts
 * import { SingleFlight } from '@describe-it/sdk/redis-cache';
 *
 * const flights = new SingleFlight<string>();
 * const load = () =>
 *   flights.run('page', async ({ signal }) => (await fetch('https://example.com', { signal })).text());
 * const [first, second] = await Promise.all([load(), load()]); // one request
 * console.log(first.shared, second.shared); // false true
 * ```
 */
export class SingleFlight<Value = unknown> {
  readonly #flights = new Map<string, Flight<Value>>();

  /** Keys whose work runs and can be joined. */
  get size(): number {
    return this.#flights.size;
  }

  /**
   * Joins the work that runs for `key`, or starts `work`. Rejects with `signal.reason` when this caller's signal
   * aborts, else as the work does.
   */
  async run(
    key: string,
    work: (context: FlightContext) => PromiseLike<Value>,
    options: FlightOptions = {},
  ): Promise<FlightResult<Value>> {
    const { signal, onShared } = callOptions(options);
    signal?.throwIfAborted();
    const running = this.#flights.get(key);
    const flight = running ?? this.#start(key, work);
    if (onShared !== undefined) {
      flight.watching.push(onShared);
      if (flight.progress !== undefined) onShared(flight.progress);
    }
    const value = await this.#join(key, flight, signal);
    return { value, shared: running !== undefined };
  }

  /** Whether work for `key` runs and can be joined. */
  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Makes later calls of `key` start new work. Calls that joined still get the outcome. */
  forget(key: string): void {
    this.#flights.delete(key);
  }

  #start(key: string, work: (context: FlightContext) => PromiseLike<Value>): Flight<Value> {
    const controller = new AbortController();
    let resolve!: (value: Value) => void;
    let reject!: (reason: unknown) => void;
    const result = new Promise<Value>((...settle) => {
      [resolve, reject] = settle;
    });
    // Handled here, because every caller may have left when it rejects.
    result.catch(() => {});
    const flight: Flight<Value> = { controller, result, callers: 0, progress: undefined, watching: [] };
    this.#flights.set(key, flight);
    const share = (progress: object) => {
      flight.progress = progress;
      for (const watch of flight.watching) watch(progress);
    };
    const running = (async () => await work({ signal: controller.signal, share }))();
    // Ended before its callers continue, so that their next call starts new work.
    settleAfter(() => this.#end(key, flight), running, resolve, reject);
    return flight;
  }

  #join(key: string, flight: Flight<Value>, signal: AbortSignal | undefined): Promise<Value> {
    flight.callers += 1;
    if (signal === undefined) return flight.result;
    return new Promise<Value>((resolve, reject) => {
      const detach = onAbort(signal, (reason) => {
        reject(reason);
        flight.callers -= 1;
        if (flight.callers > 0) return;
        this.#end(key, flight);
        flight.controller.abort(reason);
      });
      settleAfter(detach, flight.result, resolve, reject);
    });
  }

  #end(key: string, flight: Flight<Value>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
