import { createHash, type Hash, hash } from 'node:crypto';
import { InputError } from '../../errors/input-error.ts';
import { util } from '../../internal/modules/node-modules.ts';

/**
 * A key from any parts: equal parts give the same key, parts that differ in value, type or number give different keys,
 * and the order of an object's properties does not matter. 64 hex digits (SHA-256), so no part can be read from it.
 *
 * Takes what JSON takes, and `undefined`, `bigint`, `Date`, `URL`, binary views and `ArrayBuffer`.
 *
 * @throws `DESCRIBE_INPUT_INVALID` for a function, a symbol, another class instance, or a circular object.
 */
export function generateKey(...parts: readonly unknown[]): string {
  const digest = new KeyDigest();
  const ancestors = new Set<object>();
  const add = (tag: string, content: string | Uint8Array): void => {
    digest.update(`${tag}${content.length}:`);
    digest.update(content);
  };

  const addObject = (value: object) => {
    if (ancestors.has(value)) throw new InputError('parts', 'a circular object has no key');
    ancestors.add(value);
    if (Array.isArray(value)) {
      digest.update(`a${value.length}:`);
      for (const entry of value) addPart(entry);
    } else if (isPlain(value)) {
      const names = Object.keys(value).sort();
      digest.update(`o${names.length}:`);
      for (const name of names) {
        add('k', name);
        addPart((value as Record<string, unknown>)[name]);
      }
    } else {
      throw new InputError('parts', `an instance of ${value.constructor?.name ?? 'a class'} has no key`);
    }
    ancestors.delete(value);
  };

  const addPart = (part: unknown): void => {
    const atom = atomOf(part);
    if (atom !== undefined) add(...atom);
    else if (typeof part === 'object' && part !== null) addObject(part);
    else throw new InputError('parts', `a ${typeof part} has no key`);
  };

  digest.update(`${parts.length}:`);
  for (const part of parts) addPart(part);
  return digest.hex();
}

/** Joins short texts and hashes them in one go, which takes a fifth of what a `Hash` of many updates does. */
class KeyDigest {
  #text = '';
  #hash: Hash | undefined;

  update(content: string | Uint8Array): void {
    if (typeof content === 'string' && this.#text.length + content.length <= MAX_JOINED_LENGTH) {
      this.#text += content;
      return;
    }
    this.#hash ??= createHash('sha256');
    this.#hash.update(this.#text).update(content);
    this.#text = '';
  }

  hex(): string {
    return this.#hash === undefined ? hash('sha256', this.#text, 'hex') : this.#hash.update(this.#text).digest('hex');
  }
}

const MAX_JOINED_LENGTH = 4_096;

/** Type tag and content of a part that holds no other parts. */
function atomOf(part: unknown): [tag: string, content: string | Uint8Array] | undefined {
  const tag = ATOM_TAGS[typeof part];
  if (tag !== undefined) return [tag, String(part)];
  const bytes = bytesOf(part);
  if (bytes !== undefined) return ['x', bytes];
  if (part === null) return ['0', ''];
  if (util().types.isDate(part)) return ['d', String(part.getTime())];
  return part instanceof URL ? ['l', part.href] : undefined;
}

const ATOM_TAGS: Readonly<Record<string, string>> = {
  string: 's',
  number: 'n',
  bigint: 'i',
  boolean: 'b',
  undefined: 'u',
};

/** The bytes of a binary view or buffer, without a copy. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}
