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
    return typeof value === 'string' ? value : value.join(', ');
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  getSetCookie(): string[] {
    const value = this.#headers['set-cookie'];
    if (value === undefined) return [];
    return typeof value === 'string' ? [value] : [...value];
  }

  forEach(callback: (value: string, name: string, parent: ThinHeaders) => void): void {
    for (const [name, value] of this) callback(value, name, this);
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this) yield value;
  }

  entries(): IterableIterator<[string, string]> {
    const pairs: [string, string][] = [];
    for (const name of Object.keys(this.#headers)) {
      const value = this.get(name);
      if (value !== null) pairs.push([name, value]);
    }
    return pairs[Symbol.iterator]();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}
