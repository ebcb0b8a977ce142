import { raceSignal } from '../../internal/async/signals.ts';
import { fsPromises } from '../../internal/modules/node-modules.ts';
import { optionOf } from '../../internal/options/own-options.ts';
import { isDataUrl } from './data-url.ts';

/** A file on disk, as path or `file:` URL. A bare string is never a path: text of a request must not read files. */
export interface FileSource {
  readonly file: string | URL;
}

/** A stream of bytes: a web `ReadableStream`, a Node stream, or any async iterable. */
export type ByteStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** The answer to a `fetch`, of Node or of a library. Its body is read once, and never as an error page. */
export interface ImageResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly bodyUsed: boolean;
  readonly body: ByteStream | null;
}

/**
 * A source of an image: an http(s) URL or data URL as text, a `URL`, bytes, a `Blob` or `File`, a stream, a `Response`,
 * or a file on disk. Bytes are not copied: leave them unchanged until the call has settled.
 */
export type ImageSource = string | URL | Uint8Array | ArrayBuffer | Blob | ByteStream | ImageResponse | FileSource;

/** Recognised by shape: classes of another realm or polyfill fail `instanceof`. */
export const isBlob = (value: unknown): value is Blob =>
  typeof value === 'object' &&
  value !== null &&
  'size' in value &&
  typeof value.size === 'number' &&
  'stream' in value &&
  typeof value.stream === 'function';

export const isReadableStream = (value: unknown): value is ReadableStream<unknown> =>
  typeof value === 'object' && value !== null && 'getReader' in value && typeof value.getReader === 'function';

export const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

export const isResponse = (value: unknown): value is ImageResponse =>
  typeof value === 'object' &&
  value !== null &&
  'body' in value &&
  'ok' in value &&
  typeof value.ok === 'boolean' &&
  'status' in value &&
  typeof value.status === 'number';

/** A stream or a `Response`, which can be read once only. */
export const isReadOnce = (value: unknown): value is ByteStream | ImageResponse =>
  isReadableStream(value) || isAsyncIterable(value) || isResponse(value);

export function isFileSource(value: unknown): value is FileSource {
  if (typeof value !== 'object' || value === null) return false;
  const file = optionOf(value, 'file');
  return typeof file === 'string' || file instanceof URL;
}

/** The bytes of any view or buffer, without a copy. They are empty when it was transferred to another thread. */
export function asBytes(value: unknown): Uint8Array | undefined {
  // An empty array may be detached, which shows only when a view of it is made.
  if (value instanceof Uint8Array && value.length > 0) return value;
  try {
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    const tag = Object.prototype.toString.call(value);
    const isBuffer = tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]';
    return isBuffer ? new Uint8Array(value as ArrayBuffer) : undefined;
  } catch {
    return new Uint8Array();
  }
}

export interface ExpectedBytesOptions {
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gives the bytes that loading a source puts into memory, without reading it. This is the size of bytes, a `Blob`, a
 * data URL or a file, and `maxBytes` for a stream or a `Response`. It is 0 for a URL, and for a source that is refused
 * before it is read. Only a file needs a promise.
 *
 * @throws the signal's reason when it aborts.
 */
export function expectedBytes(
  source: ImageSource,
  { maxBytes, signal }: ExpectedBytesOptions,
): number | Promise<number> {
  if (source instanceof URL) return 0;
  if (typeof source === 'string') return isDataUrl(source) ? Math.min(maxBytes, dataUrlBytes(source)) : 0;
  const known = asBytes(source)?.length ?? (isBlob(source) ? source.size : undefined);
  // The size of a polyfill may not be a number: NaN bytes of memory would never be released.
  if (known !== undefined) return known >= 0 ? (known > maxBytes ? 0 : known) : maxBytes;
  if (isResponse(source)) return source.ok && !source.bodyUsed ? maxBytes : 0;
  return isFileSource(source) ? fileBytes(source.file, maxBytes, signal) : maxBytes;
}

/** A percent-encoded data URL is rare, and has at most as many bytes as characters. */
function dataUrlBytes(text: string): number {
  const comma = text.indexOf(',');
  const isBase64 = comma > 0 && text.slice(0, Math.min(comma, 1024)).includes('base64');
  return isBase64 ? Math.ceil(((text.length - comma - 1) * 3) / 4) : text.length;
}

/** 0 for a file that cannot be inspected: reading it fails too, with the reason. */
async function fileBytes(path: string | URL, maxBytes: number, signal: AbortSignal | undefined): Promise<number> {
  signal?.throwIfAborted();
  const size = fsPromises()
    .stat(path)
    .then(
      (stats) => (stats.isFile() ? stats.size : 0),
      () => 0,
    );
  const bytes = await raceSignal(size, signal);
  return bytes > maxBytes ? 0 : bytes;
}
