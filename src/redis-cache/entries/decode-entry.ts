import type { CacheEntry, StoredFailure, TagStamps } from './cache-entry.ts';
import {
  bytesInMemory,
  compression,
  decodeFrozen,
  type EncodingOptions,
  type PayloadKind,
  parseFrozen,
} from './encode-entry.ts';
import { isStoredFailure } from './negative-entry.ts';

/** Whether a stored text is the write with that id, by its first characters. */
export const carriesId = (text: string, id: string): boolean =>
  text.charCodeAt(id.length) === SPACE && text.slice(0, id.length) === id;

const DIGIT_0 = 48;
const SPACE = 32;
const MAX_DIGITS = 15;
const MAX_KIND_LENGTH = 20;
const SMALL_TEXT = 4_096;

/**
 * Reads the header line of a stored text, by hand and not by `split` and `Number`: bulk reads spend their time here.
 * One object serves all entries; each read overwrites the one before.
 */
class HeadReader {
  idEnd = 0;
  createdAtMs = 0;
  ttlMs = 0;
  graceMs = 0;
  costMs = 0;
  kind = 'json';
  tags: TagStamps = Object.freeze({});
  /** Index of the payload's first character. */
  payloadAt = 0;
  /** The previous header line without its id, where the last two lines were equal. */
  #last = '';
  /** Whether the last two lines were equal, so that the next one may be too. */
  #areAlike = false;
  /** Kind and tags of the latest line with new ones. Entries that share their tags object share one verdict. */
  #lastRest = 'json {}\n';

  /** False for a text that this package did not write. */
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
        // Also refuses the NaN at the end of the text.
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

  /** Entries made together differ only in their ids. Without this, `mget` of such entries takes 15 % longer. */
  #isLikeLast(text: string, idEnd: number): boolean {
    const end = idEnd + this.#last.length;
    // Comparing a slice takes a quarter of the time of `startsWith`.
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

/** A copy, because a slice would keep the whole text in memory. */
const apart = (slice: string): string => Buffer.from(slice).toString();

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const reader = new HeadReader();

/** The header that was read last. The next read overwrites it. */
export type ReadHead = Readonly<Omit<HeadReader, 'read'>>;

/** Reads the header line of a stored text; `undefined` for a text that this package did not write. */
export const readHead = (text: string): ReadHead | undefined => (reader.read(text) ? reader : undefined);

/**
 * By the clock of this process, which is `aheadMs` ahead of the wall clock. Rounded, because V8 allocates an object for
 * a fraction.
 */
export const freshUntilMs = ({ createdAtMs, ttlMs }: ReadHead, aheadMs: number): number =>
  Math.round(aheadMs + createdAtMs) + ttlMs;

/**
 * Decodes the payload after a header; `undefined` for one that this package did not write. Returns a promise only where
 * the payload is compressed.
 */
export function decodeEntry(
  text: string,
  head: ReadHead,
  untilMs: number,
  options: EncodingOptions,
): CacheEntry | undefined | Promise<CacheEntry | undefined> {
  try {
    const payload = text.slice(head.payloadAt);
    const entry = {
      id: text.slice(0, head.idEnd),
      value: undefined as unknown,
      failure: undefined as StoredFailure | undefined,
      tags: head.tags,
      freshUntilMs: untilMs,
      ttlMs: head.ttlMs,
      staleUntilMs: untilMs + head.graceMs,
      costMs: head.costMs,
      bytes: bytesInMemory(text.length),
    };
    if (head.kind === 'json') {
      entry.value = parseFrozen(payload);
      return entry;
    }
    return decodePayload(entry, head.kind as PayloadKind, payload, options);
  } catch {
    return undefined;
  }
}

/** The value of a JSON payload after a header. `undefined`, which JSON cannot hold, for a wrong one. */
export function decodeJson(text: string, { payloadAt }: ReadHead): unknown {
  try {
    return parseFrozen(text.slice(payloadAt));
  } catch {
    return undefined;
  }
}

function decodePayload(
  entry: CacheEntry,
  kind: PayloadKind,
  payload: string,
  options: EncodingOptions,
): CacheEntry | undefined | Promise<CacheEntry | undefined> {
  const { codec } = options;
  switch (kind) {
    case 'failure': {
      const failure: unknown = JSON.parse(payload);
      return isStoredFailure(failure) ? { ...entry, failure } : undefined;
    }
    case 'text':
      return { ...entry, value: decodeFrozen(codec, payload) };
    case 'bytes':
      return { ...entry, value: decodeFrozen(codec, Buffer.from(payload, 'base64')) };
    case 'deflated-text':
    case 'deflated-bytes':
      return inflateEntry(entry, kind, payload, options).catch(() => undefined);
    default:
      return undefined;
  }
}

async function inflateEntry(
  entry: CacheEntry,
  kind: PayloadKind,
  payload: string,
  { codec, maxValueBytes }: EncodingOptions,
): Promise<CacheEntry> {
  const bytes = await compression().inflate(Buffer.from(payload, 'base64'), { maxOutputLength: maxValueBytes });
  const encoded = kind === 'deflated-text' ? bytes.toString() : bytes;
  const value = decodeFrozen(codec, encoded);
  return { ...entry, value, bytes: Math.max(entry.bytes, bytesInMemory(encoded.length)) };
}
