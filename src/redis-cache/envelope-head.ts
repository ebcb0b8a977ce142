import type { TagStamps } from './cache-entry.ts';

/** What stands before the payload of a stored entry. Durations, so that all but one number is short. */
export interface EnvelopeHead {
  readonly id: string;
  /** Wall clock. */
  readonly createdAtMs: number;
  readonly ttlMs: number;
  readonly graceMs: number;
  readonly costMs: number;
  readonly kind: string;
  readonly tags: TagStamps;
}

export interface StoredHead extends Omit<EnvelopeHead, 'id'> {
  /** All that stands between the id and the line break. */
  readonly line: string;
}

/**
 * A line of `id created ttl grace cost kind tags`, then the payload. The id stands first, see `carriesId`; the tags last,
 * as JSON, which holds no line break.
 */
export function writeHead({ id, createdAtMs, ttlMs, graceMs, costMs, kind, tags }: EnvelopeHead): string {
  const numbers = [createdAtMs, ttlMs, graceMs, costMs].map(Math.round).join(' ');
  return `${id} ${numbers} ${kind} ${JSON.stringify(tags)}\n`;
}

/** Tells from its first characters whether a stored text is the write of that id. */
export const carriesId = (text: string, id: string): boolean =>
  text.startsWith(id) && text[id.length] === ' ';

const DIGIT_0 = 48;
const SPACE = 32;
const MAX_DIGITS = 15;
const SMALL_TEXT = 4_096;

/** Where the id of a stored text ends; less than 1 where there is none. */
export const idEndOf = (text: string): number => text.indexOf(' ');

/** Entries made together and read together differ in nothing but their ids: the last one's head is often the next one's. */
let last: StoredHead | undefined;

/**
 * Reads the line after its id; `undefined` for what is none. By hand and not by `split` and `Number`: bulk reads spend
 * their time here.
 * @throws SyntaxError for tags that are no JSON.
 */
export function readHead(text: string, idEnd: number): StoredHead | undefined {
  const end = text.indexOf('\n', idEnd);
  if (idEnd < 1 || end < 0) return undefined;
  // Comparing a slice takes a quarter of what `startsWith` does.
  const line = text.slice(idEnd, end);
  if (line === last?.line) return last;
  const numbers: [number, number, number, number] = [0, 0, 0, 0];
  let at = idEnd + 1;
  for (let index = 0; index < 4; index += 1) {
    const start = at;
    let value = 0;
    for (let code = text.charCodeAt(at); code !== SPACE; code = text.charCodeAt(at)) {
      const digit = code - DIGIT_0;
      // Also for the NaN at the end of the text.
      if (!(digit >= 0 && digit <= 9) || at - start >= MAX_DIGITS) return undefined;
      value = value * 10 + digit;
      at += 1;
    }
    if (at === start) return undefined;
    numbers[index] = value;
    at += 1;
  }
  const kindEnd = text.indexOf(' ', at);
  if (kindEnd < 0 || kindEnd > end) return undefined;
  const kind = text.startsWith('json ', at) ? 'json' : apartFrom(text, text.slice(at, kindEnd));
  const tags = readStamps(apartFrom(text, text.slice(kindEnd + 1, end)));
  if (tags === undefined) return undefined;
  const [createdAtMs, ttlMs, graceMs, costMs] = numbers;
  last = { createdAtMs, ttlMs, graceMs, costMs, kind, tags, line: apartFrom(text, line) };
  return last;
}

/** The tags of a stored text; `undefined` for what is no entry of ours. */
export function tagsOfText(text: string): TagStamps | undefined {
  try {
    return readHead(text, idEndOf(text))?.tags;
  } catch {
    return undefined;
  }
}

/** A slice keeps the whole text in memory: not that of a large entry. */
const apartFrom = (text: string, slice: string): string =>
  text.length > SMALL_TEXT ? Buffer.from(slice).toString() : slice;

/** Entries of one kind carry the same tags, and sharing them lets one verdict do for all. */
let lastStamps: { readonly line: string; readonly tags: TagStamps } = { line: '{}', tags: Object.freeze({}) };

function readStamps(line: string): TagStamps | undefined {
  if (line === lastStamps.line) return lastStamps.tags;
  const tags: unknown = JSON.parse(line);
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) return undefined;
  if (!Object.values(tags).every((version) => typeof version === 'string')) return undefined;
  lastStamps = { line, tags: Object.freeze(tags) as TagStamps };
  return lastStamps.tags;
}
