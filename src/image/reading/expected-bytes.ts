import { raceSignal } from '../../internal/async/signals.ts';
import { fsPromises } from '../../internal/modules/node-modules.ts';
import { isDataUrl } from './data-url.ts';
import { asBytes, type ImageSource, isBlob, isFileSource } from './image-source.ts';

/**
 * Bytes that loading a source will put into memory, as far as can be told without reading it: the size of bytes, a
 * `Blob`, a data URL or a file, and `maxBytes` for a stream, whose size nobody knows. 0 for a URL, which is only passed
 * on, and for what loading refuses before it reads anything. Only a file needs a promise.
 *
 * @throws the signal's reason when it aborts.
 */
export function expectedBytes(
  source: ImageSource,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal?: AbortSignal | undefined },
): number | Promise<number> {
  if (source instanceof URL) return 0;
  if (typeof source === 'string') return isDataUrl(source) ? Math.min(maxBytes, dataUrlBytes(source)) : 0;
  const known = asBytes(source)?.length ?? (isBlob(source) ? source.size : undefined);
  // Of a polyfill it may be no size at all: room of NaN bytes would never be given back.
  if (known !== undefined) return known >= 0 ? (known > maxBytes ? 0 : known) : maxBytes;
  if (isFileSource(source)) return fileBytes(source.file, maxBytes, signal);
  return maxBytes;
}

/** Of base64; a percent-encoded one is at most as long as its text, and rare. */
function dataUrlBytes(text: string): number {
  const comma = text.indexOf(',');
  const isBase64 = comma > 0 && text.slice(0, Math.min(comma, 1024)).includes('base64');
  return isBase64 ? Math.ceil(((text.length - comma - 1) * 3) / 4) : text.length;
}

/** A file that can't be looked at can't be read either: loading says why. */
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
