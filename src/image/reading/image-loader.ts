import { ImageError, InputError, TimeoutError } from '../../errors/index.ts';
import { AddressGuard } from '../../http/guard/address-guard.ts';
import { createPinnedFetch, type PinnedFetchRequest, type ResolveHost } from '../../http/guard/pinned-fetch.ts';
import { childController, raceSignal } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import {
  callable,
  checkOptions,
  clockOption,
  describeValue,
  type OptionChecks,
} from '../../internal/options/option-checks.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import { tooLarge, unreadable, unsupportedFormat } from '../formats/image-errors.ts';
import type { ImageInfo } from '../formats/image-format.ts';
import { checkImageHead, inspectImage } from '../formats/inspect-image.ts';
import { isDataUrl, readDataUrl } from './data-url.ts';
import { hashBytes } from './hash-bytes.ts';
import { IMAGE_SPEC, type ImageOptions } from './image-options.ts';
import {
  asBytes,
  type ImageSource,
  isAsyncIterable,
  isBlob,
  isFileSource,
  isReadableStream,
  isResponse,
} from './image-source.ts';
import { transformedBytes } from './image-transform.ts';
import { readFile } from './read-file.ts';
import { readResponse } from './read-response.ts';
import { blobPieces, joinBytes, type ReadLimits, readStream } from './read-stream.ts';

/** An image that is passed on as its address. The address was checked, and nothing was requested. */
export interface UrlImage {
  readonly kind: 'url';
  readonly url: string;
}

/** An image as its bytes, with the facts of its header. */
export interface BytesImage extends Omit<ImageInfo, 'truncated'> {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, in hexadecimal. */
  readonly sha256: string;
}

export type LoadedImage = UrlImage | BytesImage;

/** A downloaded image, with the ETag of its host. */
export interface DownloadedImage extends BytesImage {
  readonly etag?: string;
  /** Canonical form of the URL behind all redirects, to which the ETag belongs. */
  readonly etagUrl?: string;
}

export interface ImageLoaderOptions extends ImageOptions {
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** Looks host names up for downloads. @defaultValue the system's resolver */
  readonly resolveHost?: ResolveHost | undefined;
}

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  /** SHA-256 of a source in memory that is hashed already. @defaultValue it is hashed here */
  readonly sha256?: string | undefined;
}

export const IMAGE_LOADER_SPEC = {
  ...IMAGE_SPEC,
  clock: clockOption,
  resolveHost: callable(),
} satisfies OptionChecks<ImageLoaderOptions>;

/** Loads images under limits that were checked once. */
export interface ImageLoader {
  /** Loads an image from any source; a URL is only checked and passed on. Throws as `loadImage` does. */
  load(source: ImageSource, options?: LoadOptions): Promise<LoadedImage>;
  /** Checks a URL as `load` does, without a promise. */
  checkUrl(url: string | URL): UrlImage;
  /**
   * Downloads an image, for an API that cannot. With the `etag` and `etagUrl` of an earlier download, it resolves with
   * `undefined` for an unchanged image.
   *
   * @throws `DESCRIBE_IMAGE_FORBIDDEN` for a forbidden host, address or redirect, before anything is sent there.
   * @throws `DESCRIBE_IMAGE_FETCH_FAILED` when the download failed; `retryable` says whether another try may help.
   * @throws `DESCRIBE_TIMEOUT` after `fetchTimeoutMs`, and the errors of `load` for bytes.
   */
  fetch(url: string | URL, request?: PinnedFetchRequest): Promise<DownloadedImage | undefined>;
}

/**
 * Makes a loader. Its options are checked here, and not in its calls.
 *
 * @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option.
 */
export function createImageLoader(options: ImageLoaderOptions = {}): ImageLoader {
  const limits = checkOptions('images', options, IMAGE_LOADER_SPEC);
  const { clock, resolveHost, maxBytes, maxPixels, readTimeoutMs, maxRedirects, fetchTimeoutMs } = limits;
  const { allowHosts, denyHosts, onlyHosts, transform } = limits;
  // A transform takes formats that the API does not.
  const checkHead = transform === undefined ? checkImageHead : undefined;
  const guard = new AddressGuard({ allowHosts, denyHosts, onlyHosts });
  const download = createPinnedFetch({
    guard,
    maxBytes,
    maxRedirects,
    fetchTimeoutMs,
    resolveHost,
    clock,
    checkHead,
  });
  const checkUrl = (url: string | URL): UrlImage => ({ kind: 'url', url: guard.checkUrl(url).href });
  return {
    checkUrl,
    load: async (source, request = {}) => {
      const { signal, sha256 } = callOptions(request);
      signal?.throwIfAborted();
      if (source instanceof URL || (typeof source === 'string' && !isDataUrl(source))) return checkUrl(source);
      const held = typeof source === 'string' ? undefined : asBytes(source);
      if (held !== undefined) {
        if (held.length > maxBytes) throw tooLarge('image', maxBytes);
        if (transform !== undefined) return accepted(held, limits, signal);
        const info = acceptedInfo(held, maxPixels);
        return { kind: 'bytes', bytes: held, ...info, sha256: sha256 ?? (await hashBytes(held, signal)) };
      }
      const timed = childController(signal);
      const timer = clock.setTimeout(() => {
        timed.abort(new TimeoutError('reading the image (readTimeoutMs)', readTimeoutMs));
      }, readTimeoutMs);
      let read: Uint8Array;
      try {
        const field = typeof source === 'string' ? 'imageUrl' : isFileSource(source) ? 'file' : 'image';
        read = await readSource(source, { maxBytes, field, signal: timed.signal, checkHead });
      } finally {
        clock.clearTimeout(timer);
        timed.detach();
      }
      return accepted(read, limits, signal);
    },
    fetch: async (url, given = {}) => {
      const request = callOptions(given);
      const answer = await download(url, request);
      if (answer === undefined) return undefined;
      const { etag, etagUrl } = answer;
      const image = await accepted(await joinBytes(answer.chunks, answer.byteLength), limits, request.signal);
      return etag === undefined || etagUrl === undefined ? image : { ...image, etag, etagUrl };
    },
  };
}

/** Reads a source that is neither a web address nor in memory. A string is a data URL here. */
async function readSource(source: Exclude<ImageSource, URL>, limits: ReadLimits): Promise<Uint8Array> {
  if (typeof source === 'string') return readDataUrl(source, limits);
  if (isBlob(source)) {
    if (source.size > limits.maxBytes) throw tooLarge(limits.field, limits.maxBytes);
    return readStream(blobPieces(source), limits);
  }
  if (isReadableStream(source) || isAsyncIterable(source)) return readStream(source, limits);
  if (isResponse(source)) return readResponse(source, limits);
  // The signal ends a read from a hung network disk.
  if (isFileSource(source)) return raceSignal(readFile(source.file, limits), limits.signal);
  throw new InputError(
    limits.field,
    `must be a URL, bytes, a Blob, a stream, a Response or \`{ file }\`; got ${describeValue(source)}`,
  );
}

/** The image that is sent for the bytes that were read. */
async function accepted(
  read: Uint8Array,
  { transform, maxBytes, maxPixels }: Pick<ImageOptions, 'transform'> & Record<'maxBytes' | 'maxPixels', number>,
  signal: AbortSignal | undefined,
): Promise<BytesImage> {
  const inspect = (bytes: Uint8Array) => acceptedInfo(bytes, maxPixels);
  const bytes = transform === undefined ? read : await transformedBytes(transform, read, { signal, maxBytes, inspect });
  return { kind: 'bytes', bytes, ...inspect(bytes), sha256: await hashBytes(bytes, signal) };
}

/** The facts of an image that the API takes. */
function acceptedInfo(bytes: Uint8Array, maxPixels: number): Omit<ImageInfo, 'truncated'> {
  const { truncated, ...info } = inspectImage(bytes);
  if (truncated) throw unreadable(`the ${info.format} is cut off before its end`);
  if (info.format === 'gif' && info.animated) throw unsupportedFormat('an animated GIF');
  if (info.width * info.height > maxPixels) {
    throw new ImageError('DESCRIBE_IMAGE_TOO_LARGE', `image: more than maxPixels (${maxPixels} pixels)`);
  }
  return info;
}

export interface LoadImageOptions extends ImageLoaderOptions {
  readonly signal?: AbortSignal | undefined;
  /** Downloads a URL, under the guard, instead of passing it on. @defaultValue false */
  readonly download?: boolean | undefined;
}

/**
 * Loads an image from any source. Unless `download` is set, a URL is only checked, without DNS or a request. Any other
 * source is read completely, and identified by its content: type, size and hash.
 *
 * @throws `DESCRIBE_INPUT_INVALID` for a wrong source, a malformed URL, or one that is not http, https or data.
 * @throws `DESCRIBE_IMAGE_FORBIDDEN` for a URL with a forbidden host.
 * @throws `DESCRIBE_IMAGE_TOO_LARGE` beyond `maxBytes` or `maxPixels`; no more is read than that.
 * @throws `DESCRIBE_IMAGE_UNREADABLE` for bytes that are empty, cut off or no image.
 * @throws `DESCRIBE_IMAGE_UNSUPPORTED` for a format that the API does not take, such as HEIC or an animated GIF.
 * @throws `DESCRIBE_IMAGE_FETCH_FAILED` for a download that failed.
 * @throws `DESCRIBE_TIMEOUT` when it takes longer than `readTimeoutMs` or `fetchTimeoutMs`.
 * @throws `DESCRIBE_CONFIG_INVALID` for a wrong option.
 * @example
 * ```ts
 * import { loadImage } from '@describe-it/sdk/image';
 *
 * const image = await loadImage({ file: 'cat.jpg' }, { maxBytes: 5_000_000 });
 * if (image.kind === 'bytes') console.log(image.format, image.width, image.height);
 * ```
 */
export async function loadImage(source: ImageSource, given: LoadImageOptions = {}): Promise<LoadedImage> {
  const { signal, download = false, ...options } = callOptions(given);
  const loader = createImageLoader(options);
  const image = await loader.load(source, { signal });
  if (!download || image.kind === 'bytes') return image;
  // Without an ETag, a host cannot answer that the image is unchanged.
  return (await loader.fetch(image.url, { signal })) ?? image;
}
