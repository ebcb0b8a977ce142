import type { AnswerHeaders } from './http-message.ts';
import { ThinHeaders } from './thin-headers.ts';
import { webBase } from './web-base.ts';

/** `inspect.custom` of `node:util`, which need not be loaded for it. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

const WebHeaders = webBase(() => Headers);

/**
 * The web's `Headers` of an answer. They read from what is parsed already; their fields are copied only when somebody
 * changes or prints them, for that takes longer than the rest of a small answer.
 */
export class LazyHeaders extends WebHeaders implements Headers {
  readonly #thin: ThinHeaders;
  /** The same with all that was changed since, once something was. */
  #changed: Headers | undefined;

  constructor(headers: AnswerHeaders) {
    super();
    this.#thin = new ThinHeaders(headers);
  }

  get(name: string): string | null {
    return this.#current.get(name);
  }

  has(name: string): boolean {
    return this.#current.has(name);
  }

  getSetCookie(): string[] {
    return this.#current.getSetCookie();
  }

  entries(): ReturnType<Headers['entries']> {
    return this.#current.entries();
  }

  keys(): ReturnType<Headers['keys']> {
    return this.#current.keys();
  }

  values(): ReturnType<Headers['values']> {
    return this.#current.values();
  }

  [Symbol.iterator](): ReturnType<Headers['entries']> {
    return this.#current.entries();
  }

  forEach(callback: (value: string, name: string, parent: Headers) => void, thisArgument?: unknown): void {
    for (const [name, value] of this) callback.call(thisArgument, value, name, this);
  }

  append(name: string, value: string): void {
    this.#change().append(name, value);
  }

  set(name: string, value: string): void {
    this.#change().set(name, value);
  }

  delete(name: string): void {
    this.#change().delete(name);
  }

  [INSPECT](): Headers {
    return new Headers([...this]);
  }

  get #current(): Headers | ThinHeaders {
    return this.#changed ?? this.#thin;
  }

  #change(): Headers {
    this.#changed ??= new Headers([...this.#thin]);
    return this.#changed;
  }
}
