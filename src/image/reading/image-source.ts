/** A file on disk, as path or `file:` URL. A bare string is never a path: text of a request must not read files. */
export interface FileSource {
  readonly file: string | URL;
}

/** A stream of bytes: a web `ReadableStream`, a Node stream, or any async iterable. */
export type ByteStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Where an image comes from: an http(s) URL or data URL as text, a `URL`, bytes, a `Blob` or `File`, a stream of bytes,
 * or a file on disk. Bytes are not copied: leave them unchanged until the call has settled.
 */
export type ImageSource = string | URL | Uint8Array | ArrayBuffer | Blob | ByteStream | FileSource;

/** Recognised by shape, since classes of another realm or polyfill fail `instanceof`. */
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

export const isFileSource = (value: unknown): value is FileSource =>
  typeof value === 'object' &&
  value !== null &&
  'file' in value &&
  (typeof value.file === 'string' || value.file instanceof URL);

/** The bytes of any view or buffer, without a copy; none for one that was handed to another thread. */
export function asBytes(value: unknown): Uint8Array | undefined {
  try {
    return bytesOf(value);
  } catch {
    return new Uint8Array();
  }
}

function bytesOf(value: unknown): Uint8Array | undefined {
  // Of no length it may be detached, which only making a view of it tells.
  if (value instanceof Uint8Array && value.length > 0) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  const tag = Object.prototype.toString.call(value);
  if (tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]') {
    return new Uint8Array(value as ArrayBuffer);
  }
  return undefined;
}
