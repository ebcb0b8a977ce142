import { DescribeError, InputError } from '../../errors/index.ts';
import { ByteCollector } from '../../http/encoding/byte-collector.ts';
import { loopSlices } from '../../internal/async/loop-slices.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import { tooLarge, unreadable } from '../formats/image-errors.ts';
import { asBytes, isReadableStream } from './image-source.ts';

/** Read of a Blob at once, in another thread. */
const BLOB_PIECE_BYTES = 1024 * 1024;
/** Copied at once: some hundredths of a millisecond. */
const COPY_PIECE_BYTES = 256 * 1024;

export interface ReadLimits {
  readonly maxBytes: number;
  /** Name of what the caller passed, for errors. */
  readonly field: string;
  readonly signal?: AbortSignal | undefined;
  /** Gets the first bytes of a stream. An error from it ends the reading. */
  readonly checkHead?: ((head: Uint8Array) => void) | undefined;
}

/**
 * Reads a stream of bytes whole. Stops the source as soon as it passes `maxBytes` or the signal aborts.
 *
 * @throws `DESCRIBE_IMAGE_TOO_LARGE`, `DESCRIBE_INPUT_INVALID` (used before, or gave no bytes) or
 * `DESCRIBE_IMAGE_UNREADABLE` (failed while it was read; `cause` is why).
 */
export async function readStream(
  stream: ReadableStream<unknown> | AsyncIterable<unknown>,
  { maxBytes, field, signal, checkHead }: ReadLimits,
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const source = openSafely(stream, field);
  const collected = new ByteCollector(checkHead);
  let ended = false;
  try {
    for (;;) {
      // Also after tiny or empty chunks: a source that has all its bytes at hand never yields the thread.
      if (loopSlices.isOver()) await loopSlices.next();
      const next = await raceSignal(readNext(source), signal);
      if (next.done === true) break;
      const chunk = asBytes(next.value);
      if (chunk === undefined) throw new InputError(field, `the stream gave a ${typeof next.value}, expected bytes`);
      if (collected.byteLength + chunk.length > maxBytes) throw tooLarge(field, maxBytes);
      if (chunk.length === 0) continue;
      collected.push(chunk);
    }
    ended = true;
  } finally {
    // Not awaited: a source whose cancellation hangs must not hang the caller.
    if (!ended) source.cancel();
  }
  return joinBytes(collected.chunks(), collected.byteLength);
}

interface ByteSource {
  next(): Promise<IteratorResult<unknown, unknown>>;
  cancel(): void;
}

async function readNext(source: ByteSource): Promise<IteratorResult<unknown, unknown>> {
  const next: unknown = await source.next().catch((cause: unknown): never => {
    throw unreadable('the stream failed while it was read', { cause });
  });
  // An iterable of the caller's own may break its protocol.
  if (typeof next !== 'object' || next === null) throw unreadable('the stream gave no result when it was read');
  try {
    const { done, value } = next as IteratorResult<unknown, unknown>;
    return { done: done === true, value };
  } catch (cause) {
    throw unreadable('the stream failed while it was read', { cause });
  }
}

/** A stream that fails when it is opened failed. */
function openSafely(stream: ReadableStream<unknown> | AsyncIterable<unknown>, field: string): ByteSource {
  try {
    return openSource(stream, field);
  } catch (cause) {
    throw DescribeError.is(cause) ? cause : unreadable('the stream failed while it was read', { cause });
  }
}

function openSource(stream: ReadableStream<unknown> | AsyncIterable<unknown>, field: string): ByteSource {
  if (isReadableStream(stream)) {
    if (stream.locked) throw new InputError(field, 'the stream is locked by another reader');
    const reader = stream.getReader();
    return {
      next: async () => reader.read() as Promise<IteratorResult<unknown, unknown>>,
      cancel: () => {
        reader.cancel().catch(() => {});
      },
    };
  }
  const iterator = stream[Symbol.asyncIterator]();
  return {
    next: async () => iterator.next(),
    cancel: () => {
      (async () => iterator.return?.())().catch(() => {});
    },
  };
}

/**
 * The bytes of a `Blob` a piece at a time: its own stream would give 20 MB as one chunk, copied at once. A polyfill
 * without `slice` is streamed.
 */
export async function* blobPieces(blob: Blob): AsyncGenerator<unknown, void> {
  if (typeof blob.slice !== 'function') {
    yield* blob.stream();
    return;
  }
  for (let offset = 0; offset < blob.size; offset += BLOB_PIECE_BYTES) {
    yield await blob.slice(offset, offset + BLOB_PIECE_BYTES).arrayBuffer();
  }
}

/** One array of all chunks, copied with the event loop running in between. */
export async function joinBytes(chunks: readonly Uint8Array[], total: number): Promise<Uint8Array> {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const joined = Buffer.allocUnsafeSlow(total);
  let offset = 0;
  for (const chunk of chunks) {
    for (let start = 0; start < chunk.length; start += COPY_PIECE_BYTES) {
      if (loopSlices.isOver()) await loopSlices.next();
      const piece = chunk.subarray(start, start + COPY_PIECE_BYTES);
      joined.set(piece, offset);
      offset += piece.length;
    }
  }
  return joined;
}
