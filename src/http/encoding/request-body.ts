import { BODY_AT_ONCE_BYTES, bodyPieces } from './body-pieces.ts';
import { multipartBlob } from './multipart.ts';

/** A body in the form in which it is sent, and its own media type. */
export interface OutgoingBody {
  readonly body: Uint8Array | StreamedBody;
  readonly contentType?: string | undefined;
}

/**
 * Makes a body of text, bytes, forms, blobs and streams of the web or of Node. Blobs and streams are sent piece by
 * piece as they are read, and are never completely in memory. `undefined` for any other value.
 */
export function outgoingBody(body: unknown): OutgoingBody | undefined {
  if (typeof body === 'string') return { body: Buffer.from(body), contentType: 'text/plain;charset=UTF-8' };
  const bytes = bytesOf(body);
  if (bytes !== undefined) return { body: bytes };
  // By name, since classes of another realm or of a copy of undici fail `instanceof`.
  const kind = Object.prototype.toString.call(body).slice(8, -1);
  if (kind === 'URLSearchParams') {
    const contentType = 'application/x-www-form-urlencoded;charset=UTF-8';
    return { body: Buffer.from(String(body)), contentType };
  }
  if (kind === 'FormData') {
    const { blob, contentType } = multipartBlob(body as FormData);
    return { body: StreamedBody.of(blob), contentType };
  }
  if (kind === 'Blob' || kind === 'File') {
    const blob = body as Blob;
    return { body: StreamedBody.of(blob), contentType: blob.type || undefined };
  }
  return isStream(body) ? { body: StreamedBody.once(body) } : undefined;
}

function bytesOf(body: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  if (body instanceof ArrayBuffer || body instanceof SharedArrayBuffer) return new Uint8Array(body);
  return undefined;
}

/** A web stream, a Node stream, or any async iterable of bytes. */
export type ByteSource = ReadableStream<unknown> | AsyncIterable<unknown>;

const isStream = (body: unknown): body is ByteSource =>
  typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body);

/** A body that is read while it is sent. */
export class StreamedBody {
  /** The size where the source knows it; otherwise the body is sent in chunks. */
  readonly byteLength: number | undefined;
  /** Whether it can be read from its start again. */
  readonly isRepeatable: boolean;
  readonly #open: () => Reading;
  #reading: Reading | undefined;
  #isDone = false;

  static of(blob: Blob): StreamedBody {
    return new StreamedBody(() => startReading(blob.stream()), blob.size);
  }

  static once(source: ByteSource): StreamedBody {
    let reading: Reading | undefined;
    return new StreamedBody(() => {
      reading ??= startReading(source);
      return reading;
    });
  }

  private constructor(open: () => Reading, byteLength?: number) {
    this.#open = open;
    this.byteLength = byteLength;
    this.isRepeatable = byteLength !== undefined;
  }

  /** Its bytes, in pieces small enough that encrypting one does not block the event loop for long. */
  async *pieces(): AsyncGenerator<Uint8Array, void> {
    const reading = this.#open();
    this.#reading = reading;
    for (;;) {
      const { done, value } = await reading.next();
      if (done === true) break;
      const bytes = typeof value === 'string' ? Buffer.from(value) : bytesOf(value);
      if (bytes === undefined) throw new TypeError(`a streamed body must give bytes or text; got ${typeof value}`);
      if (bytes.byteLength > BODY_AT_ONCE_BYTES) yield* bodyPieces(bytes);
      else if (bytes.byteLength > 0) yield bytes;
    }
    this.#isDone = true;
  }

  /** Tells the source that nobody reads on, or never will. */
  cancel(reason: unknown): void {
    if (this.#isDone) return;
    this.#isDone = true;
    try {
      const reading = this.isRepeatable ? this.#reading : this.#open();
      reading?.cancel(reason);
    } catch {
      // Another reader holds the stream, and will end it.
    }
  }
}

/** A stream that is being read. */
export interface Reading {
  readonly next: () => Promise<{ readonly done?: boolean; readonly value?: unknown }>;
  /** Ends the source, also while a read waits. Never throws. */
  readonly cancel: (reason?: unknown) => void;
}

/** Starts to read a stream. @throws the error of a stream that is locked or fails when it is opened. */
export function startReading(source: ByteSource): Reading {
  if ('getReader' in source) {
    const reader = source.getReader();
    // `return` of an iterator could not end a pending read.
    return { next: () => reader.read(), cancel: (reason) => void reader.cancel(reason).catch(() => {}) };
  }
  const iterator = source[Symbol.asyncIterator]();
  return {
    next: async () => iterator.next(),
    cancel: () => {
      if ('destroy' in source && typeof source.destroy === 'function') source.destroy();
      // An iterable of the caller may throw, or return no promise.
      else (async () => iterator.return?.())().catch(() => {});
    },
  };
}
