import { TimeoutError, UpstreamError } from '../../errors/index.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import { type Clock, setBackgroundTimeout } from '../../internal/clock.ts';
import { headerSafeSecret } from '../../internal/options/http-checks.ts';
import type { OptionCheck } from '../../internal/options/option-checks.ts';
import type { RequestKey } from '../exchange/send-exchange.ts';

/** A key of the API, or a function that gives it before each request, such as a token that expires within the hour. */
export type ApiKey = string | (() => string | PromiseLike<string>);

/** Longest time of a function. After it, the waiting requests fail, and the next request calls the function again. */
const MAX_WAIT_MS = 30_000;

const isHeaderSafe = headerSafeSecret();

export const apiKeyCheck = (): OptionCheck => (value, option) =>
  typeof value === 'function' ? [] : isHeaderSafe(value, option);

/** Calls a function for the key. Concurrent requests share one pending call. */
export class KeySource {
  readonly #provide: () => string | PromiseLike<string>;
  readonly #clock: Clock;
  #pending: Promise<string> | undefined;

  constructor(provide: () => string | PromiseLike<string>, clock: Clock) {
    this.#provide = provide;
    this.#clock = clock;
  }

  /**
   * @throws `DESCRIBE_AUTH` when the function throws, rejects, gives no key or takes longer than 30 s; its reason is
   * the `cause`.
   * @throws the signal's reason when it aborts; other callers keep waiting.
   */
  get(signal?: AbortSignal): Promise<string> {
    if (this.#pending === undefined) {
      const pending = this.#call();
      this.#pending = pending;
      const end = () => {
        if (this.#pending === pending) this.#pending = undefined;
      };
      pending.then(end, end);
    }
    return signal === undefined ? this.#pending : raceSignal(this.#pending, signal);
  }

  #call(): Promise<string> {
    return new Promise<string>((resolve, reject) => {
      const fail = (cause: unknown) => {
        this.#clock.clearTimeout(timer);
        reject(new UpstreamError('DESCRIBE_AUTH', 'the function `apiKey` gave no key', { cause }));
      };
      const timer = setBackgroundTimeout(
        this.#clock,
        () => fail(new TimeoutError('the function apiKey', MAX_WAIT_MS)),
        MAX_WAIT_MS,
      );
      const take = (key: unknown) => {
        if (typeof key === 'string' && isHeaderSafe(key, '').length === 0) {
          this.#clock.clearTimeout(timer);
          resolve(key);
        } else {
          fail(new TypeError('expected a non-empty string of printable ASCII without spaces'));
        }
      };
      // Through a promise, so that a function that throws at once rejects too.
      Promise.resolve().then(this.#provide).then(take, fail);
    });
  }
}

/** The key function of one connection, as its client calls it. */
export class ConnectionKey implements RequestKey {
  readonly #source: KeySource;
  /** The key of the request that is being built. */
  #current: string | undefined;

  constructor(source: KeySource) {
    this.#source = source;
  }

  get(signal?: AbortSignal): Promise<string> {
    return this.#source.get(signal);
  }

  /** The client calls it before each of its own requests. */
  readonly provide = async (): Promise<string> => this.#current ?? (await this.#source.get());

  async building<Built>(key: string, build: () => Promise<Built>): Promise<Built> {
    this.#current = key;
    try {
      return await build();
    } finally {
      this.#current = undefined;
    }
  }
}
