import { InputError } from '../../errors/index.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import { describeValue } from '../../internal/options/option-checks.ts';
import { tooLarge } from '../image-errors.ts';
import { readDataUrl } from './data-url.ts';
import { type ImageSource, isAsyncIterable, isBlob, isFileSource, isReadableStream } from './image-source.ts';
import { readFile } from './read-file.ts';
import { blobPieces, type ReadLimits, readStream } from './read-stream.ts';

/** The bytes of a source that is no web address and not in memory. A string is a data URL here. */
export async function readSource(source: Exclude<ImageSource, URL>, limits: ReadLimits): Promise<Uint8Array> {
  if (typeof source === 'string') return readDataUrl(source, limits);
  if (isBlob(source)) {
    if (source.size > limits.maxBytes) throw tooLarge(limits.field, limits.maxBytes);
    return readStream(blobPieces(source), limits);
  }
  if (isReadableStream(source) || isAsyncIterable(source)) return readStream(source, limits);
  // A read of a hung network disk ends with the signal.
  if (isFileSource(source)) return raceSignal(readFile(source.file, limits), limits.signal);
  throw new InputError(
    limits.field,
    `expected a URL, bytes, a Blob, a stream or { file }, got ${describeValue(source)}`,
  );
}
