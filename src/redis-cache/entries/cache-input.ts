import { InputError } from '../../errors/input-error.ts';
import { describeKind, wrongInput } from '../../internal/options/option-checks.ts';

/** Ten years. A longer time to live is most likely in the wrong unit. */
export const MAX_TTL_SECONDS = 315_360_000;

const MAX_KEY_LENGTH = 8_192;
/** Most tags of an entry. */
export const MAX_TAGS = 128;
const NO_TAGS: readonly string[] = Object.freeze([]);

/**
 * @throws `DESCRIBE_INPUT_INVALID` for anything but a string of 1 to 8192 characters. The first must not be NUL, with
 * which the names of namespaces begin.
 */
export function checkKey(key: unknown, field = 'key'): asserts key is string {
  if (typeof key !== 'string' || key === '') throw wrongInput(field, 'a non-empty string', key);
  if (key.charCodeAt(0) === 0) throw new InputError(field, 'expected no NUL as its first character, got one');
  if (key.length > MAX_KEY_LENGTH) {
    throw new InputError(field, `expected at most ${MAX_KEY_LENGTH} characters, got ${key.length}; see generateKey`);
  }
}

/** @throws `DESCRIBE_INPUT_INVALID` for anything but an array. */
export function checkList(list: unknown, field: string): asserts list is readonly unknown[] {
  if (!Array.isArray(list)) throw wrongInput(field, 'an array', list, describeKind);
}

/** @throws `DESCRIBE_INPUT_INVALID` for anything but an object of these names: another name would have no effect. */
export function checkOptionNames(options: unknown, names: Readonly<Record<string, true>>): void {
  if (typeof options !== 'object' || options === null) throw wrongInput('options', 'an object', options, describeKind);
  for (const name in options) {
    // A name on the prototype of all objects is not an option of this object.
    if (Object.hasOwn(names, name) || name in Object.prototype) continue;
    throw new InputError(name.slice(0, 64), `unknown, expected one of ${Object.keys(names).join(', ')}`);
  }
}

/** The tags, each once. @throws `DESCRIBE_INPUT_INVALID` for anything but an array of at most 128 non-empty strings. */
export function checkTags(tags: unknown): readonly string[] {
  if (tags === undefined) return NO_TAGS;
  if (!Array.isArray(tags)) throw wrongInput('tags', 'an array of strings', tags);
  if (tags.length === 0) return NO_TAGS;
  if (tags.length > MAX_TAGS) throw new InputError('tags', `expected at most ${MAX_TAGS}, got ${tags.length}`);
  for (const tag of tags) checkKey(tag, 'tags');
  return [...new Set(tags as string[])];
}

/** The tags and those of others. The tags alone where all together are too many for one entry. */
export function mergeTags(tags: readonly string[], others: Iterable<string>): readonly string[] {
  const all = new Set(tags);
  for (const other of others) all.add(other);
  return all.size > MAX_TAGS ? tags : [...all];
}

/** The tags of the first lists, as many as fit on one entry. */
export function tagsThatFit(lists: Iterable<readonly string[]>): ReadonlySet<string> {
  const fitting = new Set<string>();
  for (const tags of lists) {
    const more = tags.filter((tag) => !fitting.has(tag));
    if (fitting.size + more.length > MAX_TAGS) break;
    for (const tag of more) fitting.add(tag);
  }
  return fitting;
}

/** Milliseconds of a time to live. @throws `DESCRIBE_INPUT_INVALID` outside 0.001 to ten years. */
export const ttlMsOf = (seconds: unknown, defaultMs: number): number =>
  seconds === undefined ? defaultMs : givenTtlMs(seconds, 'ttlSeconds');

/**
 * Milliseconds of a duration that must be given.
 * @throws `DESCRIBE_INPUT_INVALID` outside 0.001 to ten years.
 */
export function givenTtlMs(seconds: unknown, field: string): number {
  if (typeof seconds !== 'number' || !(seconds >= 0.001 && seconds <= MAX_TTL_SECONDS)) {
    throw wrongInput(field, `seconds from 0.001 to ${MAX_TTL_SECONDS}`, seconds);
  }
  return seconds * 1_000;
}

/**
 * Milliseconds of a grace period.
 * @throws `DESCRIBE_INPUT_INVALID` outside 0 to ten years.
 */
export function graceMsOf(seconds: unknown, defaultMs: number): number {
  if (seconds === undefined) return defaultMs;
  return seconds === 0 ? 0 : givenTtlMs(seconds, 'graceSeconds');
}

/** @throws `DESCRIBE_INPUT_INVALID` for anything but a function. */
export function checkCallback(value: unknown, field: string): void {
  if (typeof value !== 'function') throw wrongInput(field, 'a function', value, describeKind);
}

/** @throws `DESCRIBE_INPUT_INVALID` for anything but milliseconds of at least 0. */
export function checkDurationMs(value: unknown, field: string): void {
  if (!(typeof value === 'number' && value >= 0 && value < 2 ** 31)) {
    throw wrongInput(field, 'milliseconds of at least 0', value);
  }
}

/** Begins and ends the name of a namespace. No key or tag of a user begins with it. */
const MARK = '\0';
const MARK_CODE = 0;

const MAX_NAME_LENGTH = 128;
/** Control characters; and lone surrogates, which are all alike in UTF-8. */
const REFUSED = /[\p{Cc}\p{Surrogate}]/u;

/** The keys and tags of a cache, or of one namespace of it. Checks those of a user, and gives their full names. */
export class KeySpace {
  /** Begins every full name: empty for the cache itself. */
  readonly prefix: string;
  /** The tag that every entry of this space has. For the cache itself it is the tag of every entry. */
  readonly everyTag: string;
  /** The tags by which the entries of this namespace, and of those around it, are cleared. */
  readonly #clearTags: readonly string[];

  constructor(parent?: KeySpace, name?: unknown) {
    if (parent !== undefined) checkName(name);
    this.prefix = parent === undefined ? '' : `${parent.prefix}${MARK}${name as string}${MARK}`;
    this.everyTag = this.prefix;
    this.#clearTags = parent === undefined ? NO_TAGS : [...parent.#clearTags, this.everyTag];
  }

  /** @throws `DESCRIBE_INPUT_INVALID` for what is no key. */
  key(key: unknown): string {
    checkKey(key);
    return this.prefix === '' ? key : this.prefix + key;
  }

  /** The list itself for the cache itself. @throws `DESCRIBE_INPUT_INVALID` for what is no list of keys. */
  keys(keys: readonly string[]): readonly string[] {
    checkList(keys, 'keys');
    for (const key of keys) checkKey(key);
    return this.prefix === '' ? keys : keys.map((key) => this.prefix + key);
  }

  /** @throws `DESCRIBE_INPUT_INVALID` for what is no list of tags. */
  tags(tags: unknown): readonly string[] {
    return this.nameTags(checkTags(tags));
  }

  readonly nameTags = (tags: readonly string[]): readonly string[] =>
    this.prefix === '' ? tags : tags.map((tag) => this.prefix + tag);

  /** The tags of an entry: those given, and those by which its namespace is cleared. */
  entryTags(tags: unknown): readonly string[] {
    const named = checkTags(tags);
    return this.prefix === '' ? named : [...this.nameTags(named), ...this.#clearTags];
  }

  /** The names of this space among full names, without its prefix. Those of a namespace inside it are none. */
  own(names: readonly string[]): readonly string[] {
    if (this.prefix === '') return names;
    return names
      .filter((name) => name.startsWith(this.prefix) && name !== this.prefix)
      .map((name) => name.slice(this.prefix.length))
      .filter((name) => name.charCodeAt(0) !== MARK_CODE);
  }

  /** Whether the invalidation of these tags cleared the space. */
  isClearedBy(tags: readonly string[]): boolean {
    return this.#clearTags.some((tag) => tags.includes(tag));
  }
}

/** The prefix of the namespace of a full name. */
export function namespaceOf(name: string): string {
  let end = 0;
  while (name.charCodeAt(end) === MARK_CODE) end = name.indexOf(MARK, end + 1) + 1;
  return name.slice(0, end);
}

function checkName(name: unknown): void {
  const isName = typeof name === 'string' && name !== '' && name.length <= MAX_NAME_LENGTH && !REFUSED.test(name);
  if (isName) return;
  const got = typeof name === 'string' && name.length > MAX_NAME_LENGTH ? `${name.length}` : describeKind(name);
  const expected = `expected 1 to ${MAX_NAME_LENGTH} characters without control characters`;
  throw new InputError('namespace', `${expected}, got ${got}`);
}
