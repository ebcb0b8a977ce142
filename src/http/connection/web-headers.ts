import { lazy } from '../../internal/modules/lazy.ts';
import type { AnswerHeaders } from './http-message.ts';

/** The types of undici declare methods and getters as fields, which no subclass may override. */
type Constructor = new () => object;

/**
 * Returns a class to extend in place of one of the web's, such as `Response`: instances are instances of both. The
 * web's constructor never runs, because it takes longer than the rest of a small answer. So a subclass overrides every
 * member. Node loads its own undici when a program first names such a class, which happens when the first instance is
 * made.
 */
export function webBase(web: () => { readonly prototype: object }): Constructor {
  const inherit = lazy(() => Object.setPrototypeOf(WebBase.prototype, web().prototype) as object);
  function WebBase(): object {
    inherit();
    return Object.create((new.target ?? WebBase).prototype) as object;
  }
  return WebBase as unknown as Constructor;
}

const BEYOND_BYTES = /[^\0-\xff]/;

/** A value with one character a byte, as the web has it. undici decodes UTF-8, which few servers send. */
const byteText = (value: string): string => Buffer.from(value).toString('latin1');

/**
 * The reading half of the web's `Headers`, over headers that are parsed already. A real `Headers` costs more than the
 * rest of a small answer.
 */
export class ReadOnlyHeaders implements Iterable<[string, string]> {
  readonly #headers: AnswerHeaders;

  constructor(headers: AnswerHeaders) {
    this.#headers = headers;
  }

  get(name: string): string | null {
    const headers = this.#headers;
    const key = Object.hasOwn(headers, name) ? name : name.toLowerCase();
    const value = Object.hasOwn(headers, key) ? headers[key] : undefined;
    if (value === undefined) return null;
    const text = typeof value === 'string' ? value : value.join(', ');
    return BEYOND_BYTES.test(text) ? byteText(text) : text;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  getSetCookie(): string[] {
    const value = this.#headers['set-cookie'];
    if (value === undefined) return [];
    const cookies = typeof value === 'string' ? [value] : value;
    return cookies.map((cookie) => (BEYOND_BYTES.test(cookie) ? byteText(cookie) : cookie));
  }

  /** In the order of their names, each cookie by itself (Fetch standard, "sort and combine"). */
  entries(): IterableIterator<[string, string]> {
    const pairs: [string, string][] = [];
    for (const name of Object.keys(this.#headers).sort()) {
      if (name === 'set-cookie') for (const cookie of this.getSetCookie()) pairs.push([name, cookie]);
      else pairs.push([name, this.get(name) ?? '']);
    }
    return pairs[Symbol.iterator]();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}

/** `inspect.custom` of `node:util`, without loading that module. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

const PlainHeaders = webBase(() => Headers);

/** The web's `Headers` of an answer. Its fields are copied into a real one for all that is rare. */
export class WebHeaders extends PlainHeaders implements Headers {
  /** A real `Headers` after the first call that the other half does not know. */
  #current: Headers | ReadOnlyHeaders;

  constructor(headers: AnswerHeaders) {
    super();
    this.#current = new ReadOnlyHeaders(headers);
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
    return this.#change().keys();
  }

  values(): ReturnType<Headers['values']> {
    return this.#change().values();
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

  #change(): Headers {
    const changed = this.#current instanceof ReadOnlyHeaders ? new Headers([...this.#current]) : this.#current;
    this.#current = changed;
    return changed;
  }
}
