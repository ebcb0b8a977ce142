import type { AnswerHeaders } from './http-message.ts';

/**
 * The reading half of the web's `Headers` over headers that are parsed already: making a real one costs more than the
 * rest of a small answer.
 */
export class ThinHeaders implements Iterable<[string, string]> {
  readonly #headers: AnswerHeaders;

  constructor(headers: AnswerHeaders) {
    this.#headers = headers;
  }

  get(name: string): string | null {
    const key = Object.hasOwn(this.#headers, name) ? name : name.toLowerCase();
    const value = Object.hasOwn(this.#headers, key) ? this.#headers[key] : undefined;
    if (value === undefined) return null;
    return byteText(typeof value === 'string' ? value : value.join(', '));
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  getSetCookie(): string[] {
    const value = this.#headers['set-cookie'];
    if (value === undefined) return [];
    return typeof value === 'string' ? [byteText(value)] : value.map(byteText);
  }

  keys(): IterableIterator<string> {
    return this.#pairs()
      .map(([name]) => name)
      [Symbol.iterator]();
  }

  values(): IterableIterator<string> {
    return this.#pairs()
      .map(([, value]) => value)
      [Symbol.iterator]();
  }

  entries(): IterableIterator<[string, string]> {
    return this.#pairs()[Symbol.iterator]();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  /** In the order of their names, each cookie by itself (Fetch standard, "sort and combine"). */
  #pairs(): [string, string][] {
    const pairs: [string, string][] = [];
    for (const name of Object.keys(this.#headers).sort()) {
      if (name === 'set-cookie') for (const cookie of this.getSetCookie()) pairs.push([name, cookie]);
      else pairs.push([name, this.get(name) ?? '']);
    }
    return pairs;
  }
}

const BEYOND_BYTES = /[^\0-\xff]/;

/** A value as the web has it, a character for each byte. undici decodes UTF-8, which few servers send. */
const byteText = (value: string): string => (BEYOND_BYTES.test(value) ? Buffer.from(value).toString('latin1') : value);
