import { randomBytes } from 'node:crypto';

/** The tag that every entry has, so that `clear()` is one invalidation. A user's tag is never empty. */
export const EVERY_ENTRY = '';

/** A fresh 128-bit version of a tag: it equals no earlier one, so it needs no clock and no counter. */
export const newTagVersion = (): string => randomBytes(16).toString('base64url');

/**
 * Names in Redis: entries, tags, leases and the channel of one cache. In Redis, each begins with the prefix of the
 * client, then the `keyPrefix`. So an ACL user of that prefix alone can use all of them.
 */
export class RedisNames {
  /** The whole name, because clients add no prefix to a channel. */
  readonly channel: string;
  readonly prefix: string;
  readonly clientPrefix: string;
  /** Pattern of every entry of this cache for SCAN, which sees names with the client's prefix. */
  readonly everyEntry: string;
  readonly #entryPrefix: string;
  readonly #hasHashTag: boolean;

  /** `clientPrefix`: the prefix that the client adds to each name. */
  constructor(prefix: string, clientPrefix = '') {
    this.prefix = prefix;
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
   * In the slot of the entry, so that one script can use both: a Cluster hashes the text in the first braces. The part
   * `l:` keeps the name apart from every entry.
   */
  lease(key: string): string {
    const entry = this.entry(key);
    if (this.#hasHashTag) return `${this.prefix}l:${entry.slice(this.#entryPrefix.length)}`;
    return `${this.prefix}l:{${this.clientPrefix}${entry}}`;
  }

  tag(tag: string): string {
    return `${this.prefix}t:${tag}`;
  }
}

/** Whether a prefix has braces, but none that a Cluster hashes. Then no lease can be in the slot of its entry. */
export const breaksSlots = (prefix: string): boolean => prefix.includes('{') && !HASH_TAG.test(prefix);

/** The text in the first braces, which a Cluster hashes instead of the whole name unless it is empty. */
const HASH_TAG = /^[^{]*\{[^}]+\}/;
/** Braces; percent, so that no two keys get one name; and lone surrogates, which are all alike in UTF-8. */
const TO_ESCAPE = /[{}%\p{Surrogate}]/gu;
/** Also true for whole pairs of surrogates, which are left as they are: in a third of the time. */
const NEEDS_ESCAPES = /[{}%\ud800-\udfff]/;
const percentOf = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
