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

/**
 * A line of `id created ttl grace cost kind tags`, then the payload. The id stands first, see `carriesId`; the tags
 * last, as JSON, which holds no line break.
 */
export function writeHead({ id, createdAtMs, ttlMs, graceMs, costMs, kind, tags }: EnvelopeHead): string {
  const numbers = [createdAtMs, ttlMs, graceMs, costMs].map(Math.round).join(' ');
  return `${id} ${numbers} ${kind} ${JSON.stringify(tags)}\n`;
}

/** Tells from its first characters whether a stored text is the write of that id. */
export const carriesId = (text: string, id: string): boolean =>
  text.charCodeAt(id.length) === SPACE && text.slice(0, id.length) === id;

const DIGIT_0 = 48;
const SPACE = 32;
const MAX_DIGITS = 15;
const MAX_KIND_LENGTH = 20;
const SMALL_TEXT = 4_096;

/**
 * Reads the line before a payload, by hand and not by `split` and `Number`: bulk reads spend their time here. One
 * object for all entries, good until the next one is read.
 */
class HeadReader {
  idEnd = 0;
  createdAtMs = 0;
  ttlMs = 0;
  graceMs = 0;
  costMs = 0;
  kind = 'json';
  tags: TagStamps = Object.freeze({});
  /** Where the payload begins. */
  payloadAt = 0;
  /** All of the last one after its id, where it was like the one before. */
  #last = '';
  /** The last two were read whole, and probably have the same line; false while one was read in part. */
  #areAlike = false;
  /**
   * Kind and tags as they stood in the last one that had others than the one before: entries of one kind carry the same
   * tags, and sharing them lets one verdict do for all.
   */
  #lastRest = 'json {}\n';

  /** False for what is no entry of ours. */
  read(text: string): boolean {
    const idEnd = text.indexOf(' ');
    if (idEnd < 1) return false;
    this.idEnd = idEnd;
    if (this.#areAlike && this.#isLikeLast(text, idEnd)) return true;
    this.#areAlike = false;
    const { createdAtMs, ttlMs, costMs } = this;
    let at = idEnd + 1;
    for (let field = 0; field < 4; field += 1) {
      const start = at;
      let value = 0;
      for (let code = text.charCodeAt(at); code !== SPACE; code = text.charCodeAt(at)) {
        const digit = code - DIGIT_0;
        // Also for the NaN at the end of the text.
        if (!(digit >= 0 && digit <= 9) || at - start >= MAX_DIGITS) return false;
        value = value * 10 + digit;
        at += 1;
      }
      if (at === start) return false;
      at += 1;
      if (field === 0) this.createdAtMs = value;
      else if (field === 1) this.ttlMs = value;
      else if (field === 2) this.graceMs = value;
      else this.costMs = value;
    }
    if (!this.#readRest(text, at)) return false;
    this.#areAlike = createdAtMs === this.createdAtMs && ttlMs === this.ttlMs && costMs === this.costMs;
    if (this.#areAlike) {
      const line = text.slice(idEnd, this.payloadAt);
      this.#last = text.length > SMALL_TEXT ? apart(line) : line;
    }
    return true;
  }

  /**
   * Entries made together differ in nothing but their ids. Tried where the last two were alike, for a try takes its
   * time.
   */
  #isLikeLast(text: string, idEnd: number): boolean {
    const end = idEnd + this.#last.length;
    // Comparing a slice takes a quarter of what `startsWith` does.
    if (text.slice(idEnd, end) !== this.#last) return false;
    this.payloadAt = end;
    return true;
  }

  #readRest(text: string, at: number): boolean {
    const end = at + this.#lastRest.length;
    if (text.slice(at, end) === this.#lastRest) {
      this.payloadAt = end;
      return true;
    }
    const kindEnd = text.indexOf(' ', at);
    const lineEnd = text.indexOf('\n', kindEnd);
    if (kindEnd < 0 || kindEnd - at > MAX_KIND_LENGTH || lineEnd < 0) return false;
    const tags = parsed(text.slice(kindEnd + 1, lineEnd));
    if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) return false;
    if (!Object.values(tags).every((version) => typeof version === 'string')) return false;
    this.#lastRest = apart(text.slice(at, lineEnd + 1));
    this.kind = this.#lastRest.slice(0, kindEnd - at);
    this.tags = Object.freeze(tags) as TagStamps;
    this.payloadAt = lineEnd + 1;
    return true;
  }
}

/** A slice would keep the whole text in memory. */
const apart = (slice: string): string => Buffer.from(slice).toString();

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const reader = new HeadReader();

/** A head as read: it is good until the next one is. */
export type ReadHead = Readonly<Omit<HeadReader, 'read'>>;

/** What stands before the payload; `undefined` for what is no entry of ours. */
export const readHead = (text: string): ReadHead | undefined => (reader.read(text) ? reader : undefined);

/**
 * By the clock of this process, which is `aheadMs` ahead of the clock of the world. Whole, as what was stored: V8 boxes
 * other numbers.
 */
export const freshUntilMs = ({ createdAtMs, ttlMs }: ReadHead, aheadMs: number): number =>
  Math.round(aheadMs + createdAtMs) + ttlMs;

/** The tags of a stored text; `undefined` for what is no entry of ours. */
export const tagsOfText = (text: string): TagStamps | undefined => readHead(text)?.tags;
