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
  /** All that stands after the id, with its line break. */
  readonly text: string;
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
  if (last !== undefined && text.startsWith(last.text, idEnd)) return last;
  if (idEnd < 1) return undefined;
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
  if (kindEnd < 0) return undefined;
  const kind = text.startsWith('json ', at) ? 'json' : text.slice(at, kindEnd);
  const stamps = readStamps(text, kindEnd + 1);
  if (stamps === undefined) return undefined;
  const [createdAtMs, ttlMs, graceMs, costMs] = numbers;
  // Put together anew: a slice would keep the whole text of an entry in memory.
  const line = `${text.slice(idEnd, kindEnd + 1)}${stamps.text}`;
  last = { createdAtMs, ttlMs, graceMs, costMs, kind, tags: stamps.tags, text: line };
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

interface KnownStamps {
  /** With its line break. */
  readonly text: string;
  readonly tags: TagStamps;
}

/** Entries of one kind carry the same tags. */
let lastStamps: KnownStamps = { text: '{}\n', tags: Object.freeze({}) };

function readStamps(text: string, start: number): KnownStamps | undefined {
  if (text.startsWith(lastStamps.text, start)) return lastStamps;
  const end = text.indexOf('\n', start);
  if (end < 0) return undefined;
  const line = text.slice(start, end);
  const tags: unknown = JSON.parse(line);
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) return undefined;
  if (!Object.values(tags).every((version) => typeof version === 'string')) return undefined;
  lastStamps = { text: `${line}\n`, tags: Object.freeze(tags) as TagStamps };
  return lastStamps;
}
