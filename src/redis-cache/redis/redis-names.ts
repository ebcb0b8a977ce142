import { randomBytes } from 'node:crypto';

/** The tag that every entry has, so that `clear()` is one invalidation. A user's tag is never empty. */
export const EVERY_ENTRY = '';

/** A fresh 128-bit version of a tag: it equals no earlier one, so it needs no clock and no counter. */
export const newTagVersion = (): string => randomBytes(16).toString('base64url');

/**
 * Names in Redis: entries, tags, leases and the channel of one cache. On the wire each begins with what the client puts
 * before keys and then the `keyPrefix`, so that an ACL user of that prefix alone can use all of them.
 */
export class RedisNames {
  /** The whole name, for clients put nothing before a channel. */
  readonly channel: string;
  readonly #prefix: string;
  readonly clientPrefix: string;
  /** Pattern of every entry of this cache for SCAN, which sees names with what the client puts before them. */
  readonly everyEntry: string;
  readonly #entryPrefix: string;
  readonly #hasHashTag: boolean;

  /** `clientPrefix`: what the client puts before each name. */
  constructor(prefix: string, clientPrefix = '') {
    this.#prefix = prefix;
    this.clientPrefix = clientPrefix;
    this.everyEntry = `${`${clientPrefix}${prefix}`.replace(/[\\*?[\]]/g, '\\$&')}e:*`;
    this.#entryPrefix = `${prefix}e:`;
    this.#hasHashTag = HASH_TAG.test(clientPrefix + prefix);
    this.channel = `${clientPrefix}${prefix}bus`;
  }

  entry(key: string): string {
    const escaped = NEEDS_ESCAPES.test(key) ? key.replace(TO_ESCAPE, percentOf) : key;
    return this.#entryPrefix + escaped;
  }

  /**
   * In the slot of the entry, so that one script can hold both: a Cluster hashes what stands in the first braces. The
   * part `l:` keeps it apart from every entry, whatever the key.
   */
  lease(key: string): string {
    const entry = this.entry(key);
    if (this.#hasHashTag) return `${this.#prefix}l:${entry.slice(this.#entryPrefix.length)}`;
    return `${this.#prefix}l:{${this.clientPrefix}${entry}}`;
  }

  tag(tag: string): string {
    return `${this.#prefix}t:${tag}`;
  }
}

/** Whether a prefix has braces, but none that a Cluster hashes: then no lease can be in the slot of its entry. */
export const breaksSlots = (prefix: string): boolean => prefix.includes('{') && !HASH_TAG.test(prefix);

/** What a Cluster hashes instead of the whole name: what stands in the first braces, unless that is nothing. */
const HASH_TAG = /^[^{]*\{[^}]+\}/;
/** Braces; and percent, so that no two keys get one name; and halves of characters, which all are one in UTF-8. */
const TO_ESCAPE = /[{}%\p{Surrogate}]/gu;
const NEEDS_ESCAPES = /[{}%\p{Surrogate}]/u;
const percentOf = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
