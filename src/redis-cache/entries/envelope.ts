import { randomBytes } from 'node:crypto';
import { CacheError } from '../../errors/cache-error.ts';
import { ignoreRejection } from '../../internal/async/user-callback.ts';
import { wallClockNow } from '../../internal/clock.ts';
import { deepFreeze } from '../../internal/deep-freeze.ts';
import { lazy } from '../../internal/modules/lazy.ts';
import { util, zlib } from '../../internal/modules/node-modules.ts';
import type { CacheEntry, StoredFailure, TagStamps } from './cache-entry.ts';
import { type CacheCodec, jsonCodec } from './codec.ts';
import { type ReadHead, writeHead } from './envelope-head.ts';
import { isStoredFailure } from './negative-entry.ts';

const compression = lazy(() => {
  const { promisify } = util();
  const { deflateRaw, inflateRaw } = zlib();
  return { deflate: promisify(deflateRaw), inflate: promisify(inflateRaw) };
});

/** The objects, the key and its place in the tier. */
const ENTRY_OVERHEAD_BYTES = 400;
/** Rough bytes of an entry in memory: its value takes about what it does encoded, not what it does compressed. */
const bytesOf = (characters: number): number => characters * 2 + ENTRY_OVERHEAD_BYTES;

export interface EnvelopeOptions {
  readonly codec: CacheCodec;
  /** Encoded characters or bytes from which it is compressed. */
  readonly compressAboveBytes: number;
  /** Most bytes that are written or read, and that may come out of compressed ones. */
  readonly maxValueBytes: number;
}

/** What an entry is made of; durations count from now. */
export interface EnvelopeContent {
  readonly value: unknown;
  readonly failure?: StoredFailure | undefined;
  readonly tags: TagStamps;
  readonly ttlMs: number;
  readonly graceMs: number;
  readonly costMs: number;
}

/**
 * How the payload stands in the text: as JSON, text, or base64 of bytes; compressed ones, base64 too, name what comes
 * out.
 */
type PayloadKind = 'json' | 'text' | 'bytes' | 'deflated-text' | 'deflated-bytes' | 'failure';

const MAX_COUNT = 36 ** 4;
let series = '';
let writes = MAX_COUNT;

/**
 * Never longer than 12 characters: V8 copies so short a slice, and a longer one would keep the whole text in memory.
 */
function nextId(): string {
  if (writes === MAX_COUNT) {
    series = randomBytes(6).toString('base64url');
    writes = 0;
  }
  writes += 1;
  return `${series}${(writes - 1).toString(36)}`;
}

/** An entry in both forms: as stored in Redis and as held in memory. */
export interface EncodedEntry {
  readonly text: string;
  readonly entry: CacheEntry;
}

/**
 * Encodes what is stored, and decodes it again for this process, so that both tiers hold the same.
 * @throws `DESCRIBE_CACHE` for a value that the codec can't store or that is larger than `maxValueBytes`.
 */
export async function encodeEntry(
  { value, failure, tags, ttlMs, graceMs, costMs }: EnvelopeContent,
  options: EnvelopeOptions,
  nowMs: number,
): Promise<EncodedEntry> {
  const id = nextId();
  const [kind, payload, decoded, length] = failure
    ? (['failure', JSON.stringify(failure), undefined, 0] as const)
    : await encodeValue(value, options);
  const wallMs = Math.round(wallClockNow());
  const head = { id, createdAtMs: wallMs, ttlMs, graceMs, costMs, kind, tags };
  const text = writeHead(head) + payload;
  // In bytes, as Redis counts: a text may have three a character, and what is read is cut there.
  if (isTooLarge(text, options)) throw tooLarge(options);
  const freshUntilMs = nowMs + ttlMs;
  const bytes = bytesOf(Math.max(text.length, length));
  const staleUntilMs = freshUntilMs + graceMs;
  return { text, entry: { id, value: decoded, failure, tags, freshUntilMs, staleUntilMs, costMs, bytes } };
}

async function encodeValue(value: unknown, options: EnvelopeOptions): Promise<[PayloadKind, string, unknown, number]> {
  const { codec, compressAboveBytes } = options;
  const encoded = runCodec(() => codec.encode(value), 'a value could not be encoded');
  if (encoded === undefined) throw new CacheError('a value of this kind can not be stored');
  if (isTooLarge(encoded, options)) throw tooLarge(options);
  const decoded = runCodec(() => deepFreeze(codec.decode(encoded)), 'a value could not be decoded');
  const isText = typeof encoded === 'string';
  const { length } = encoded;
  if (length > compressAboveBytes) {
    const packed = await compression().deflate(encoded);
    return [isText ? 'deflated-text' : 'deflated-bytes', packed.toString('base64'), decoded, length];
  }
  if (!isText) return ['bytes', Buffer.from(encoded).toString('base64'), decoded, length];
  return [codec === jsonCodec ? 'json' : 'text', encoded, decoded, length];
}

/**
 * Reads what stands in Redis after a head; `undefined` for a payload that is none of ours. A promise only where
 * something has to be decompressed.
 */
export function decodeEntry(
  text: string,
  head: ReadHead,
  freshUntilMs: number,
  options: EnvelopeOptions,
): CacheEntry | undefined | Promise<CacheEntry | undefined> {
  try {
    const payload = text.slice(head.payloadAt);
    const entry = {
      id: text.slice(0, head.idEnd),
      value: undefined as unknown,
      failure: undefined as StoredFailure | undefined,
      tags: head.tags,
      freshUntilMs,
      staleUntilMs: freshUntilMs + head.graceMs,
      costMs: head.costMs,
      bytes: bytesOf(text.length),
    };
    if (head.kind === 'json') {
      entry.value = freezeJson(JSON.parse(payload));
      return entry;
    }
    return decodePayload(entry, head.kind, payload, options);
  } catch {
    return undefined;
  }
}

/** The value alone of what stands as JSON after a head; `undefined`, which no JSON is, for a payload that is none. */
export function decodeJson(text: string, { payloadAt }: ReadHead): unknown {
  try {
    return freezeJson(JSON.parse(text.slice(payloadAt)));
  } catch {
    return undefined;
  }
}

function decodePayload(
  entry: CacheEntry,
  kind: string,
  payload: string,
  options: EnvelopeOptions,
): CacheEntry | undefined | Promise<CacheEntry | undefined> {
  const { codec } = options;
  switch (kind as PayloadKind) {
    case 'failure': {
      const failure: unknown = JSON.parse(payload);
      return isStoredFailure(failure) ? { ...entry, failure } : undefined;
    }
    case 'text':
      return { ...entry, value: deepFreeze(codec.decode(payload)) };
    case 'bytes':
      return { ...entry, value: deepFreeze(codec.decode(Buffer.from(payload, 'base64'))) };
    case 'deflated-text':
    case 'deflated-bytes':
      return inflateEntry(entry, kind, payload, options).catch(() => undefined);
    default:
      return undefined;
  }
}

/**
 * As `deepFreeze`, for what `JSON.parse` made: it has no symbols, no cycles and nothing frozen, which saves half the
 * time.
 */
function freezeJson<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  for (const name in value) {
    const inner: unknown = value[name];
    if (typeof inner === 'object' && inner !== null) freezeJson(inner);
  }
  return Object.freeze(value);
}

async function inflateEntry(
  entry: CacheEntry,
  kind: string,
  payload: string,
  { codec, maxValueBytes }: EnvelopeOptions,
): Promise<CacheEntry> {
  const bytes = await compression().inflate(Buffer.from(payload, 'base64'), {
    maxOutputLength: maxValueBytes,
  });
  const encoded = kind === 'deflated-text' ? bytes.toString() : bytes;
  const value = deepFreeze(codec.decode(encoded));
  return { ...entry, value, bytes: Math.max(entry.bytes, bytesOf(encoded.length)) };
}

function runCodec<Result>(run: () => Result, message: string): Result {
  let result: Result;
  try {
    result = run();
  } catch (cause) {
    throw new CacheError(message, { cause });
  }
  if (ignoreRejection(result)) throw new CacheError(`${message}: the codec must not be async`);
  return result;
}

/**
 * Whether it has more bytes than may be stored, as what `GETRANGE` cut does. Counted only where characters leave it
 * open.
 */
export function isTooLarge(
  encoded: string | Uint8Array,
  { maxValueBytes }: Pick<EnvelopeOptions, 'maxValueBytes'>,
): boolean {
  const { length } = encoded;
  if (length > maxValueBytes) return true;
  return typeof encoded === 'string' && length * 3 > maxValueBytes && Buffer.byteLength(encoded) > maxValueBytes;
}

const tooLarge = ({ maxValueBytes }: EnvelopeOptions) =>
  new CacheError(`a value is larger than maxValueBytes (${maxValueBytes})`);
