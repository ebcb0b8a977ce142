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

export interface StoredHead extends EnvelopeHead {
  /** Where the payload starts. */
  readonly endsAt: number;
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

/**
 * Reads the line; `undefined` for what is none. By hand and not by `split` and `Number`: bulk reads spend their time here.
 * @throws SyntaxError for tags that are no JSON.
 */
export function readHead(text: string): StoredHead | undefined {
  const idEnd = text.indexOf(' ');
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
  const endsAt = kindEnd + 1 + stamps.text.length;
  return { id: text.slice(0, idEnd), createdAtMs, ttlMs, graceMs, costMs, kind, tags: stamps.tags, endsAt };
}

/** The tags of a stored text; `undefined` for what is no entry of ours. */
export function tagsOfText(text: string): TagStamps | undefined {
  try {
    return readHead(text)?.tags;
  } catch {
    return undefined;
  }
}

interface KnownStamps {
  /** With its line break. */
  readonly text: string;
  readonly tags: TagStamps;
}

/** Entries made together carry the same tags and are read together: the last one's are often the next one's. */
let last: KnownStamps = { text: '{}\n', tags: Object.freeze({}) };

function readStamps(text: string, start: number): KnownStamps | undefined {
  if (text.startsWith(last.text, start)) return last;
  const end = text.indexOf('\n', start);
  if (end < 0) return undefined;
  const line = text.slice(start, end);
  const tags: unknown = JSON.parse(line);
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) return undefined;
  if (!Object.values(tags).every((version) => typeof version === 'string')) return undefined;
  last = { text: `${line}\n`, tags: Object.freeze(tags) as TagStamps };
  return last;
}
