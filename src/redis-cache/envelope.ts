import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { CacheError } from '../errors/cache-error.ts';
import { wallClockNow } from '../internal/clock.ts';
import { deepFreeze } from '../internal/deep-freeze.ts';
import type { CacheEntry, StoredFailure, TagStamps } from './cache-entry.ts';
import { type CacheCodec, jsonCodec } from './codec.ts';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** Rough bytes of an entry in memory beside its text: the objects, the key and its place in the tier. */
const ENTRY_OVERHEAD_BYTES = 400;

export interface EnvelopeOptions {
  readonly codec: CacheCodec;
  /** Encoded characters or bytes from which it is compressed. */
  readonly compressAboveBytes: number;
  /** Longest text that is written or read, and most bytes that may come out of compressed ones. */
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

/** How the payload stands in the text: as JSON, text, or base64 of bytes; compressed ones name what comes out. */
type PayloadKind = 'json' | 'text' | 'bytes' | 'deflated-text' | 'deflated-bytes' | 'failure';

/** One JSON array, so that reading an entry is one `JSON.parse`. The id stands first, see `carriesId`. */
type Fields = readonly [
  id: string,
  createdAtMs: number,
  expiresAtMs: number,
  staleUntilMs: number,
  costMs: number,
  tags: TagStamps,
  kind: PayloadKind,
  payload: unknown,
];

const PROCESS_ID = randomBytes(9).toString('base64url');
let writes = 0;

function nextId(): string {
  writes += 1;
  return `${PROCESS_ID}${writes.toString(36)}`;
}

/** Tells from its first characters whether a stored text is the write of that id. */
export function carriesId(text: string, id: string): boolean {
  return text.startsWith(id, 2) && text[id.length + 2] === '"';
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
  const [kind, payload, decoded] = failure
    ? (['failure', JSON.stringify(failure), undefined] as const)
    : await encodeValue(value, options);
  const wallMs = Math.round(wallClockNow());
  const head = [id, wallMs, wallMs + ttlMs, wallMs + ttlMs + graceMs, Math.round(costMs), tags, kind];
  const text = `${JSON.stringify(head).slice(0, -1)},${payload}]`;
  if (text.length > options.maxValueBytes) throw tooLarge(options);
  const freshUntilMs = nowMs + ttlMs;
  const bytes = text.length * 2 + ENTRY_OVERHEAD_BYTES;
  const staleUntilMs = freshUntilMs + graceMs;
  return { text, entry: { id, value: decoded, failure, tags, freshUntilMs, staleUntilMs, costMs, bytes } };
}

async function encodeValue(
  value: unknown,
  options: EnvelopeOptions,
): Promise<[PayloadKind, string, unknown]> {
  const { codec, compressAboveBytes, maxValueBytes } = options;
  const encoded = runCodec(() => codec.encode(value), 'a value could not be encoded');
  if (encoded === undefined) throw new CacheError('a value of this kind can not be stored');
  if (encoded.length > maxValueBytes) throw tooLarge(options);
  const decoded = deepFreeze(runCodec(() => codec.decode(encoded), 'a value could not be decoded'));
  const isText = typeof encoded === 'string';
  if (encoded.length > compressAboveBytes) {
    const packed = await deflate(encoded);
    return [isText ? 'deflated-text' : 'deflated-bytes', `"${packed.toString('base64')}"`, decoded];
  }
  if (!isText) return ['bytes', `"${Buffer.from(encoded).toString('base64')}"`, decoded];
  return codec === jsonCodec ? ['json', encoded, decoded] : ['text', JSON.stringify(encoded), decoded];
}

/**
 * Reads a stored text; `undefined` for anything that is not an entry of ours, whatever it is. A promise only where
 * something has to be decompressed.
 */
export function decodeEntry(
  text: string,
  options: EnvelopeOptions,
  nowMs: number,
): CacheEntry | undefined | Promise<CacheEntry | undefined> {
  if (text.length > options.maxValueBytes) return undefined;
  try {
    const fields: unknown = JSON.parse(text);
    if (!isFields(fields)) return undefined;
    const [id, , expiresAtMs, staleUntilMs, costMs, tags, kind, payload] = fields;
    const toMonotonicMs = nowMs - wallClockNow();
    const entryOf = (value: unknown, failure?: StoredFailure): CacheEntry => ({
      id,
      value: deepFreeze(value),
      failure,
      tags,
      freshUntilMs: expiresAtMs + toMonotonicMs,
      staleUntilMs: staleUntilMs + toMonotonicMs,
      costMs,
      bytes: text.length * 2 + ENTRY_OVERHEAD_BYTES,
    });
    if (kind === 'json') return entryOf(payload);
    if (kind === 'failure') return isFailure(payload) ? entryOf(undefined, payload) : undefined;
    if (typeof payload !== 'string') return undefined;
    if (kind === 'text') return entryOf(options.codec.decode(payload));
    const bytes = Buffer.from(payload, 'base64');
    if (kind === 'bytes') return entryOf(options.codec.decode(bytes));
    return inflateValue(bytes, kind, options).then(entryOf, () => undefined);
  } catch {
    return undefined;
  }
}

/** The tags of a stored text; `undefined` for what is no entry of ours. */
export function tagsOfText(text: string): TagStamps | undefined {
  try {
    const fields: unknown = JSON.parse(text);
    return isFields(fields) ? fields[5] : undefined;
  } catch {
    return undefined;
  }
}

async function inflateValue(packed: Buffer, kind: PayloadKind, { codec, maxValueBytes }: EnvelopeOptions) {
  const bytes = await inflate(packed, { maxOutputLength: maxValueBytes });
  return codec.decode(kind === 'deflated-text' ? bytes.toString() : bytes);
}

function isFields(fields: unknown): fields is Fields {
  if (!Array.isArray(fields) || fields.length !== 8) return false;
  const [id, created, expires, stale, cost, tags, kind] = fields as readonly unknown[];
  return (
    typeof id === 'string' &&
    typeof created === 'number' &&
    typeof expires === 'number' &&
    typeof stale === 'number' &&
    typeof cost === 'number' &&
    typeof kind === 'string' &&
    typeof tags === 'object' &&
    tags !== null
  );
}

function isFailure(payload: unknown): payload is StoredFailure {
  if (typeof payload !== 'object' || payload === null) return false;
  const { code, message, fields } = payload as Partial<StoredFailure>;
  return typeof code === 'string' && typeof message === 'string' && typeof fields === 'object';
}

function runCodec<Result>(run: () => Result, message: string): Result {
  try {
    return run();
  } catch (cause) {
    throw new CacheError(message, { cause });
  }
}

const tooLarge = ({ maxValueBytes }: EnvelopeOptions) =>
  new CacheError(`a value is larger than maxValueBytes (${maxValueBytes})`);
