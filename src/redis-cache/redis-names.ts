/** Names in Redis: entries, tags, leases and the channel of one cache. */
export class RedisNames {
  readonly channel: string;
  readonly #prefix: string;
  readonly #entryPrefix: string;
  readonly #hasHashTag: boolean;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#entryPrefix = `${prefix}e:`;
    this.#hasHashTag = prefix.includes('{');
    this.channel = `${prefix}bus`;
  }

  entry(key: string): string {
    const escaped = HAS_BRACES_OR_PERCENT.test(key)
      ? key.replace(BRACES_AND_PERCENT, encodeURIComponent)
      : key;
    return this.#entryPrefix + escaped;
  }

  /** In the slot of the entry, so that one script can hold both: a Cluster hashes what stands in the first braces. */
  lease(key: string): string {
    const entry = this.entry(key);
    return this.#hasHashTag ? `${entry}:lease` : `{${entry}}:lease`;
  }

  tag(tag: string): string {
    return `${this.#prefix}t:${tag}`;
  }

  /** Pattern of every entry of this cache for SCAN, which sees names with what the client puts before them. */
  everyEntry(clientPrefix: string): string {
    return `${`${clientPrefix}${this.#prefix}`.replace(/[\\*?[\]]/g, '\\$&')}e:*`;
  }
}

/** Percent too, so that no two keys get one name. */
const BRACES_AND_PERCENT = /[{}%]/g;
const HAS_BRACES_OR_PERCENT = /[{}%]/;
