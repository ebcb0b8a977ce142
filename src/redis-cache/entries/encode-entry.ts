import { randomBytes } from 'node:crypto';
import { CacheError } from '../../errors/cache-error.ts';
import { ignoreRejection, isPromiseLike } from '../../internal/async/user-callback.ts';
import { wallClockNow } from '../../internal/clock.ts';
import { deepFreeze } from '../../internal/deep-freeze.ts';
import { lazy } from '../../internal/modules/lazy.ts';
import { util, zlib } from '../../internal/modules/node-modules.ts';
import type { CacheEntry, StoredFailure, TagStamps } from './cache-entry.ts';

/**
 * Turns values into their stored form and back. Every reader gets `decode(encode(value))`, so both tiers agree. When
 * `decode` throws, the entry is dropped and counts as a miss.
 */
export interface CacheCodec {
  /** Returns text or bytes, or `undefined` for a value that can't be stored. */
  encode(value: unknown): string | Uint8Array | undefined;
  decode(encoded: string | Uint8Array): unknown;
}

/** JSON: plain objects, arrays, strings, finite numbers, booleans and `null`. */
export const jsonCodec: CacheCodec = {
  encode: (value) => JSON.stringify(value) as string | undefined,
  decode: (encoded) => JSON.parse(typeof encoded === 'string' ? encoded : Buffer.from(encoded).toString()),
};

export interface EncodingOptions {
  readonly codec: CacheCodec;
  /** Encoded characters or bytes from which a value is compressed. */
  readonly compressAboveBytes: number;
  /** Most bytes of an entry in Redis, and of a value after decompression. */
  readonly maxValueBytes: number;
}

/** The content of an entry. Durations start now. */
export interface EntryContent {
  readonly value?: unknown;
  readonly failure?: StoredFailure | undefined;
  readonly tags: TagStamps;
  readonly ttlMs: number;
  readonly graceMs: number;
  readonly costMs: number;
}

/** An entry in both forms: for Redis and for memory. */
export interface EncodedEntry {
  readonly text: string;
  readonly entry: CacheEntry;
}

/** The form of a payload in Redis: JSON, text, or base64 of bytes. A compressed text is base64 too. */
export type PayloadKind = 'json' | 'text' | 'bytes' | 'deflated-text' | 'deflated-bytes' | 'failure';

export const compression = lazy(() => {
  const { promisify } = util();
  const { deflateRaw, inflateRaw } = zlib();
  return { deflate: promisify(deflateRaw), inflate: promisify(inflateRaw) };
});

/** Bytes of an entry's objects, its key, and its link in the memory tier. */
const ENTRY_OVERHEAD_BYTES = 400;

/** Estimates the bytes of an entry in memory from the characters of its encoded, uncompressed value. */
export const bytesInMemory = (characters: number): number => characters * 2 + ENTRY_OVERHEAD_BYTES;

const MAX_COUNT = 36 ** 4;
let series = '';
let writes = MAX_COUNT;

/** At most 12 characters. V8 copies a slice that short; a longer one would keep the whole text in memory. */
function nextId(): string {
  if (writes === MAX_COUNT) {
    series = randomBytes(6).toString('base64url');
    writes = 0;
  }
  writes += 1;
  return `${series}${(writes - 1).toString(36)}`;
}

/**
 * Encodes an entry for Redis, and decodes it again for this process, so that both tiers hold the same.
 *
 * The text is a header line of `id created ttl grace cost kind tags`, then the payload. The id comes first, see
 * `carriesId`. The tags come last, as JSON, which has no line break.
 * Only a value that is compressed needs a promise.
 * @throws `DESCRIBE_CACHE` for a value that the codec can't store or that is larger than `maxValueBytes`.
 */
export function encodeEntry(
  content: EntryContent,
  options: EncodingOptions,
  nowMs: number,
): EncodedEntry | Promise<EncodedEntry> {
  const { value, failure } = content;
  if (failure !== undefined) {
    const payload = JSON.stringify(failure);
    return entryOf(content, { payload, kind: 'failure', value: undefined, length: payload.length }, options, nowMs);
  }
  const { encoded, decoded } = encodeValue(value, options);
  const { length } = encoded;
  const isText = typeof encoded === 'string';
  if (length > options.compressAboveBytes) {
    if (isTooLarge(encoded, options)) throw tooLarge(options);
    const kind = isText ? 'deflated-text' : 'deflated-bytes';
    const deflated = compression().deflate(encoded);
    return deflated.then((bytes) =>
      entryOf(content, { payload: bytes.toString('base64'), kind, value: decoded, length }, options, nowMs),
    );
  }
  const kind = isText ? (options.codec === jsonCodec ? 'json' : 'text') : 'bytes';
  const payload = isText ? encoded : Buffer.from(encoded).toString('base64');
  return entryOf(content, { payload, kind, value: decoded, length }, options, nowMs);
}

interface EncodedValue {
  readonly payload: string;
  readonly kind: PayloadKind;
  readonly value: unknown;
  /** Characters or bytes before any compression. */
  readonly length: number;
}

function entryOf(
  { failure, tags, ttlMs, graceMs, costMs }: EntryContent,
  { payload, kind, value, length }: EncodedValue,
  options: EncodingOptions,
  nowMs: number,
): EncodedEntry {
  const id = nextId();
  const times = `${wallClockNow()} ${Math.round(ttlMs)} ${Math.round(graceMs)} ${Math.round(costMs)}`;
  const text = `${id} ${times} ${kind} ${JSON.stringify(tags)}\n${payload}`;
  if (isTooLarge(text, options)) throw tooLarge(options);
  const freshUntilMs = nowMs + ttlMs;
  const staleUntilMs = freshUntilMs + graceMs;
  const bytes = bytesInMemory(Math.max(text.length, length));
  return { text, entry: { id, value, failure, tags, freshUntilMs, ttlMs, staleUntilMs, costMs, bytes } };
}

/** The encoded value, and what every reader will get. */
function encodeValue(value: unknown, { codec }: EncodingOptions) {
  let step: keyof CacheCodec = 'encode';
  let encoded: ReturnType<CacheCodec['encode']>;
  let decoded: unknown;
  try {
    encoded = codec.encode(value);
    if (typeof encoded === 'string' || (encoded !== undefined && !isPromiseLike(encoded))) {
      step = 'decode';
      decoded = decodeFrozen(codec, encoded);
    }
  } catch (cause) {
    throw new CacheError(`the codec could not ${step} a value`, { cause });
  }
  if (codec !== jsonCodec && ignoreRejection(step === 'encode' ? encoded : decoded)) {
    throw new CacheError(`the codec must be synchronous; its \`${step}\` returned a promise`);
  }
  if (encoded === undefined) throw new CacheError(`the codec can't store a value of type ${typeof value}`);
  return { encoded, decoded };
}

export const decodeFrozen = (codec: CacheCodec, encoded: string | Uint8Array): unknown =>
  codec === jsonCodec && typeof encoded === 'string' ? parseFrozen(encoded) : deepFreeze(codec.decode(encoded));

/** Parses and freezes in half the time of `deepFreeze`: JSON has no symbols, cycles or frozen objects. */
export const parseFrozen = (json: string): unknown => freezeJson(JSON.parse(json));

/** In a `for…in` loop V8 makes this call for almost nothing; `Object.hasOwn` takes a quarter of the loop's time. */
const hasOwn = Object.prototype.hasOwnProperty;

function freezeJson<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  for (const name in value) {
    // Names that someone put on the prototype of all objects are not read.
    if (!hasOwn.call(value, name)) continue;
    const inner: unknown = value[name];
    if (typeof inner === 'object' && inner !== null) freezeJson(inner);
  }
  return Object.freeze(value);
}

/**
 * Whether a text or value has more bytes than may be stored. Redis counts bytes, and a character has up to three. So
 * bytes are counted only where the number of characters does not decide.
 */
export function isTooLarge(
  encoded: string | Uint8Array,
  { maxValueBytes }: Pick<EncodingOptions, 'maxValueBytes'>,
): boolean {
  const { length } = encoded;
  if (length > maxValueBytes) return true;
  return typeof encoded === 'string' && length * 3 > maxValueBytes && Buffer.byteLength(encoded) > maxValueBytes;
}

const tooLarge = ({ maxValueBytes }: EncodingOptions) =>
  new CacheError(`a value is larger than \`maxValueBytes\` (${maxValueBytes}); store less or raise that option`);
