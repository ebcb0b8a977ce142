import { ImageError, InputError, TimeoutError } from '../errors/index.ts';
import { ADDRESS_GUARD_CHECKS, AddressGuard, type AddressGuardOptions } from '../http/address-guard.ts';
import { type Clock, systemClock } from '../internal/clock.ts';
import {
  checkOptions,
  describeValue,
  integer,
  milliseconds,
  type OptionChecks,
} from '../internal/option-checks.ts';
import { childController, raceSignal } from '../internal/signals.ts';
import { isDataUrl, readDataUrl } from './data-url.ts';
import { hashBytes } from './hash-bytes.ts';
import { tooLarge, unreadable, unsupportedFormat } from './image-errors.ts';
import type { ImageInfo } from './image-format.ts';
import {
  asBytes,
  type ImageSource,
  isAsyncIterable,
  isBlob,
  isFileSource,
  isReadableStream,
} from './image-source.ts';
import { inspectImage } from './inspect-image.ts';
import { readFile } from './read-file.ts';
import { blobPieces, type ReadLimits, readStream } from './read-stream.ts';

/** Bounds on one image, and where it may come from. */
export interface ImageOptions extends AddressGuardOptions {
  /** Most bytes of an image, at least 1. @defaultValue 20_000_000 */
  readonly maxBytes?: number | undefined;
  /** Most pixels of an image (width times height), at least 1. @defaultValue 268_402_689 (16,383 squared) */
  readonly maxPixels?: number | undefined;
  /** Most milliseconds that reading a stream, `Blob` or file may take. @defaultValue 30_000 */
  readonly readTimeoutMs?: number | undefined;
}

export interface LoadImageOptions extends ImageOptions {
  readonly signal?: AbortSignal | undefined;
  /** Source of time. @defaultValue the system's */
  readonly clock?: Clock | undefined;
}

/** An image that is only passed on: its address was checked, nothing was requested. */
export interface UrlImage {
  readonly kind: 'url';
  readonly url: string;
}

/** An image whose bytes are at hand, with what its header says. */
export interface BytesImage extends Omit<ImageInfo, 'truncated'> {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, in hexadecimal. */
  readonly sha256: string;
}

export type LoadedImage = UrlImage | BytesImage;

const DEFAULTS = {
  maxBytes: 20_000_000,
  maxPixels: 16_383 ** 2,
  readTimeoutMs: 30_000,
} as const satisfies ImageOptions;

/** Checks of the image options, for owners that nest them. */
export const IMAGE_OPTION_CHECKS: OptionChecks<ImageOptions> = {
  ...ADDRESS_GUARD_CHECKS,
  maxBytes: integer({ min: 1 }),
  maxPixels: integer({ min: 1 }),
  readTimeoutMs: milliseconds(),
};

/** Loads images under limits that were checked once. */
export interface ImageLoader {
  load(source: ImageSource, options?: { readonly signal?: AbortSignal | undefined }): Promise<LoadedImage>;
}

/**
 * Makes a loader whose options are checked here, so that `load` costs no check per call.
 *
 * @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option.
 */
export function createImageLoader(
  options: ImageOptions & { readonly clock?: Clock | undefined } = {},
): ImageLoader {
  const { clock = systemClock, ...limits } = options;
  checkOptions<ImageOptions>('images', limits, IMAGE_OPTION_CHECKS);
  const { maxBytes = DEFAULTS.maxBytes, maxPixels = DEFAULTS.maxPixels } = limits;
  const { readTimeoutMs = DEFAULTS.readTimeoutMs, allowHosts, denyHosts, onlyHosts } = limits;
  const guard = new AddressGuard({ allowHosts, denyHosts, onlyHosts });
  return {
    load: async (source, { signal } = {}) => {
      signal?.throwIfAborted();
      if (source instanceof URL || (typeof source === 'string' && !isDataUrl(source))) {
        return { kind: 'url', url: guard.checkUrl(source).href };
      }
      const timed = childController(signal);
      const timer = clock.setTimeout(() => {
        timed.abort(new TimeoutError('reading the image (readTimeoutMs)', readTimeoutMs));
      }, readTimeoutMs);
      try {
        const bytes = await readSource(source, { maxBytes, field: fieldOf(source), signal: timed.signal });
        return await describeBytes(bytes, maxPixels, timed.signal);
      } finally {
        clock.clearTimeout(timer);
        timed.detach();
      }
    },
  };
}

/**
 * Takes an image from any source. A URL is only checked, by rules that need neither DNS nor a request; anything else is
 * read whole and known by its content: type, size and hash.
 *
 * @throws `DESCRIBE_INPUT_INVALID` for a source that is none, a malformed URL or one that is not http, https or data.
 * @throws `DESCRIBE_IMAGE_FORBIDDEN` for a URL whose host may not be used.
 * @throws `DESCRIBE_IMAGE_TOO_LARGE` beyond `maxBytes` or `maxPixels`; no more is read than that.
 * @throws `DESCRIBE_IMAGE_UNREADABLE` for bytes that are empty, cut off or no image.
 * @throws `DESCRIBE_IMAGE_UNSUPPORTED` for a format that the API does not take, such as HEIC or an animated GIF.
 * @throws `DESCRIBE_TIMEOUT` when reading takes longer than `readTimeoutMs`.
 * @throws `DESCRIBE_CONFIG_INVALID` for a wrong option.
 * @example
 * ```ts
 * import { loadImage } from '@describe-it/sdk';
 *
 * const image = await loadImage({ file: 'cat.jpg' }, { maxBytes: 5_000_000 });
 * if (image.kind === 'bytes') console.log(image.format, image.width, image.height);
 * ```
 */
export async function loadImage(source: ImageSource, options: LoadImageOptions = {}): Promise<LoadedImage> {
  const { signal, ...loaderOptions } = options;
  return createImageLoader(loaderOptions).load(source, { signal });
}

const fieldOf = (source: ImageSource) =>
  typeof source === 'string' ? 'imageUrl' : isFileSource(source) ? 'file' : 'image';

async function readSource(source: Exclude<ImageSource, URL>, limits: ReadLimits): Promise<Uint8Array> {
  if (typeof source === 'string') return readDataUrl(source, limits);
  const bytes = asBytes(source);
  if (bytes !== undefined) {
    if (bytes.length > limits.maxBytes) throw tooLarge(limits.field, limits.maxBytes);
    return bytes;
  }
  if (isBlob(source)) {
    if (source.size > limits.maxBytes) throw tooLarge(limits.field, limits.maxBytes);
    return readStream(blobPieces(source), limits);
  }
  if (isReadableStream(source) || isAsyncIterable(source)) return readStream(source, limits);
  if (isFileSource(source)) return raceSignal(readFile(source.file, limits), limits.signal);
  throw new InputError(
    limits.field,
    `expected a URL, bytes, a Blob, a stream or { file }, got ${describeValue(source)}`,
  );
}

async function describeBytes(bytes: Uint8Array, maxPixels: number, signal: AbortSignal): Promise<BytesImage> {
  const { truncated, ...info } = inspectImage(bytes);
  if (truncated) throw unreadable(`the ${info.format} is cut off before its end`);
  if (info.format === 'gif' && info.animated) throw unsupportedFormat('an animated GIF');
  if (info.width * info.height > maxPixels) {
    throw new ImageError('DESCRIBE_IMAGE_TOO_LARGE', `image: more than maxPixels (${maxPixels} pixels)`);
  }
  return { kind: 'bytes', bytes, ...info, sha256: await hashBytes(bytes, signal) };
}
