import { InputError } from '../../errors/index.ts';
import { ByteCollector } from '../../http/encoding/byte-collector.ts';
import { type ByteSource, type Reading, startReading } from '../../http/encoding/request-body.ts';
import { loopSlices } from '../../internal/async/loop-slices.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import { describeKind } from '../../internal/options/option-checks.ts';
import { tooLarge, unreadable } from '../formats/image-errors.ts';
import { asBytes, isReadableStream } from './image-source.ts';

/** Bytes of a Blob that are read at once, in another thread. */
const BLOB_PIECE_BYTES = 1024 * 1024;
/** Bytes that are copied at once, in some hundredths of a millisecond. */
const COPY_PIECE_BYTES = 256 * 1024;

export interface ReadLimits {
  readonly maxBytes: number;
  /** The caller's name of the source, for errors. */
  readonly field: string;
  readonly signal?: AbortSignal | undefined;
  /** Gets the first bytes of a stream. An error from it ends the reading. */
  readonly checkHead?: ((head: Uint8Array) => void) | undefined;
}

/**
 * Reads a stream of bytes completely. Stops the source when it passes `maxBytes` or the signal aborts.
 *
 * @throws `DESCRIBE_IMAGE_TOO_LARGE`; `DESCRIBE_INPUT_INVALID` for a used stream, or one without bytes; and
 * `DESCRIBE_IMAGE_UNREADABLE` with the `cause` when reading fails.
 */
export async function readStream(
  stream: ByteSource,
  { maxBytes, field, signal, checkHead }: ReadLimits,
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const source = open(stream, field);
  const collected = new ByteCollector(checkHead);
  let ended = false;
  try {
    for (;;) {
      // Also after tiny or empty chunks: a source in memory never yields the thread.
      if (loopSlices.isOver()) await loopSlices.next();
      const next = await raceSignal(readNext(source), signal);
      if (next.done === true) break;
      const chunk = asBytes(next.value);
      if (chunk === undefined)
        throw new InputError(field, `must be a stream of bytes; got a chunk that is ${describeKind(next.value)}`);
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

async function readNext(source: Reading): Promise<IteratorResult<unknown, unknown>> {
  const next: unknown = await source.next().catch((cause: unknown): never => {
    throw unreadable('the stream failed while it was read', { cause });
  });
  // The caller's iterable may break the protocol.
  if (typeof next !== 'object' || next === null) throw unreadable('the stream gave no result when it was read');
  try {
    const { done, value } = next as IteratorResult<unknown, unknown>;
    return { done: done === true, value };
  } catch (cause) {
    throw unreadable('the stream failed while it was read', { cause });
  }
}

function open(stream: ByteSource, field: string): Reading {
  if (isReadableStream(stream) && stream.locked)
    throw new InputError(field, 'must be a stream that nothing else reads; got a locked one');
  try {
    return startReading(stream);
  } catch (cause) {
    throw unreadable('the stream failed while it was read', { cause });
  }
}

/**
 * Reads a `Blob` in pieces: its own stream would give 20 MB as one chunk, copied at once. A polyfill without `slice` is
 * streamed.
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

/** Joins all chunks into one array. The event loop runs between copies. */
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
