/** Names in Redis: entries, tags, leases and the channel of one cache. */
export class RedisNames {
  readonly channel: string;
  readonly #prefix: string;
  readonly #clientPrefix: string;
  readonly #entryPrefix: string;
  readonly #hasHashTag: boolean;

  /** `clientPrefix`: what the client puts before each name. */
  constructor(prefix: string, clientPrefix = '') {
    this.#prefix = prefix;
    this.#clientPrefix = clientPrefix;
    this.#entryPrefix = `${prefix}e:`;
    this.#hasHashTag = HASH_TAG.test(clientPrefix + prefix);
    this.channel = `${prefix}bus`;
  }

  entry(key: string): string {
    const escaped = NEEDS_ESCAPES.test(key) ? key.replace(TO_ESCAPE, percentOf) : key;
    return this.#entryPrefix + escaped;
  }

  /** In the slot of the entry, so that one script can hold both: a Cluster hashes what stands in the first braces. */
  lease(key: string): string {
    const entry = this.entry(key);
    return this.#hasHashTag ? `${entry}:lease` : `{${this.#clientPrefix}${entry}}:lease`;
  }

  tag(tag: string): string {
    return `${this.#prefix}t:${tag}`;
  }

  /** Pattern of every entry of this cache for SCAN, which sees names with what the client puts before them. */
  everyEntry(): string {
    return `${`${this.#clientPrefix}${this.#prefix}`.replace(/[\\*?[\]]/g, '\\$&')}e:*`;
  }
}

/** What a Cluster hashes instead of the whole name: what stands in the first braces, unless that is nothing. */
const HASH_TAG = /^[^{]*\{[^}]+\}/;
/** Braces; and percent, so that no two keys get one name; and halves of characters, which all are one in UTF-8. */
const TO_ESCAPE = /[{}%\p{Surrogate}]/gu;
const NEEDS_ESCAPES = /[{}%\p{Surrogate}]/u;
const percentOf = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
