import { TimeoutError, UpstreamError } from '../../errors/index.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import { type Clock, setBackgroundTimeout } from '../../internal/clock.ts';
import { headerSafeSecret, type OptionCheck } from '../../internal/options/option-checks.ts';

/** A key of the API, or a function that gives it before each request, such as a token that ends within the hour. */
export type ApiKey = string | (() => string | PromiseLike<string>);

/** How long a function may take: beyond, the requests that wait for it fail, and the next one asks anew. */
const MAX_WAIT_MS = 30_000;

const isHeaderSafe = headerSafeSecret();

export const apiKeyCheck = (): OptionCheck => (value, option) =>
  typeof value === 'function' ? [] : isHeaderSafe(value, option);

/** Asks a function for the key. Requests at the same time share one pending call. */
export class KeySource {
  readonly #ask: () => string | PromiseLike<string>;
  readonly #clock: Clock;
  #pending: Promise<string> | undefined;

  constructor(ask: () => string | PromiseLike<string>, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /**
   * @throws `DESCRIBE_AUTH` when the function throws, rejects, gives no key or takes longer than 30 s; its reason is
   * the `cause`.
   * @throws the signal's reason when it aborts; others go on to wait.
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
      // In a turn of its own, so that what throws at once is a rejection too.
      Promise.resolve().then(this.#ask).then(take, fail);
    });
  }
}

/** The key function of one connection, as its client asks for it. */
export class ConnectionKey {
  readonly #source: KeySource;
  /** The key that a request is being built with. */
  #current: string | undefined;

  constructor(source: KeySource) {
    this.#source = source;
  }

  get(signal?: AbortSignal): Promise<string> {
    return this.#source.get(signal);
  }

  /** What the client calls before each of its own requests. */
  readonly provide = async (): Promise<string> => this.#current ?? (await this.#source.get());

  /** Builds a request with that key: the client asks for no other. */
  async building<Built>(key: string, build: () => Promise<Built>): Promise<Built> {
    this.#current = key;
    try {
      return await build();
    } finally {
      this.#current = undefined;
    }
  }
}

/** Builds a request of a client, with that key where a function gave it. */
export function builtWith<Built>(
  client: { apiKey: string | null },
  source: ConnectionKey | undefined,
  key: string | null,
  build: () => Promise<Built>,
): Promise<Built> {
  if (source === undefined || key === null) return build();
  // Some versions of the client ask the function while they build, the others read what it gave last.
  client.apiKey = key;
  return source.building(key, build);
}
