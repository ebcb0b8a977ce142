import { ImageError, TimeoutError } from '../../errors/index.ts';
import { AddressGuard } from '../../http/guard/address-guard.ts';
import { createPinnedFetch, type PinnedFetchRequest, type ResolveHost } from '../../http/guard/pinned-fetch.ts';
import { childController } from '../../internal/async/signals.ts';
import { type Clock, systemClock } from '../../internal/clock.ts';
import { anything, checkOptions } from '../../internal/options/option-checks.ts';
import { checkImageHead, inspectImage } from '../formats/inspect-image.ts';
import { hashBytes } from '../identity/hash-bytes.ts';
import { tooLarge, unreadable, unsupportedFormat } from '../image-errors.ts';
import { IMAGE_DEFAULTS, IMAGE_OPTION_CHECKS, type ImageOptions } from '../image-options.ts';
import { isDataUrl } from './data-url.ts';
import { asBytes, type ImageSource, isFileSource } from './image-source.ts';
import type { BytesImage, DownloadedImage, LoadedImage, UrlImage } from './loaded-image.ts';
import { readSource } from './read-source.ts';
import { joinBytes } from './read-stream.ts';

export interface ImageLoaderOptions extends ImageOptions {
  /** Source of time. @defaultValue the system's */
  readonly clock?: Clock | undefined;
  /** Looks host names up for downloads. @defaultValue the system's resolver */
  readonly resolveHost?: ResolveHost | undefined;
}

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  /** SHA-256 of the bytes, in hexadecimal, where it is known: then they are not hashed. @defaultValue none */
  readonly sha256?: string | undefined;
}

/** Loads images under limits that were checked once. */
export interface ImageLoader {
  /** Takes an image from any source; a URL is only checked and passed on. Throws as `loadImage` does. */
  load(source: ImageSource, options?: LoadOptions): Promise<LoadedImage>;
  /** Checks a URL as `load` does, without a promise. */
  checkUrl(url: string | URL): UrlImage;
  /**
   * Downloads an image, for an API that can't. With the `etag` and `etagUrl` of an earlier download, `undefined` says
   * that the image has not changed since.
   *
   * @throws `DESCRIBE_IMAGE_FORBIDDEN` when its host, one of its addresses or a redirect may not be used; nothing was
   * sent there.
   * @throws `DESCRIBE_IMAGE_FETCH_FAILED` when it can't be had; `retryable` says whether another try may help.
   * @throws `DESCRIBE_TIMEOUT` after `fetchTimeoutMs`; and all that `load` throws for bytes.
   */
  fetch(url: string | URL, request?: PinnedFetchRequest): Promise<DownloadedImage | undefined>;
}

/**
 * Makes a loader whose options are checked here, so that its calls cost no check.
 *
 * @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option.
 */
export function createImageLoader(options: ImageLoaderOptions = {}): ImageLoader {
  const limits = checkOptions<ImageLoaderOptions>('images', options, {
    ...IMAGE_OPTION_CHECKS,
    clock: anything(),
    resolveHost: anything(),
  });
  const { clock = systemClock, resolveHost } = limits;
  const { maxBytes = IMAGE_DEFAULTS.maxBytes, maxPixels = IMAGE_DEFAULTS.maxPixels } = limits;
  const { readTimeoutMs = IMAGE_DEFAULTS.readTimeoutMs, maxRedirects = IMAGE_DEFAULTS.maxRedirects } = limits;
  const { fetchTimeoutMs = IMAGE_DEFAULTS.fetchTimeoutMs, allowHosts, denyHosts, onlyHosts } = limits;
  const guard = new AddressGuard({ allowHosts, denyHosts, onlyHosts });
  const download = createPinnedFetch({
    guard,
    maxBytes,
    maxRedirects,
    fetchTimeoutMs,
    resolveHost,
    clock,
    checkHead: checkImageHead,
  });
  const checkUrl = (url: string | URL): UrlImage => ({ kind: 'url', url: guard.checkUrl(url).href });
  return {
    checkUrl,
    load: async (source, { signal, sha256 } = {}) => {
      signal?.throwIfAborted();
      if (source instanceof URL || (typeof source === 'string' && !isDataUrl(source))) return checkUrl(source);
      const held = typeof source === 'string' ? undefined : asBytes(source);
      if (held !== undefined) {
        if (held.length > maxBytes) throw tooLarge(fieldOf(source), maxBytes);
        return describeBytes(held, maxPixels, signal, sha256);
      }
      const timed = childController(signal);
      const timer = clock.setTimeout(() => {
        timed.abort(new TimeoutError('reading the image (readTimeoutMs)', readTimeoutMs));
      }, readTimeoutMs);
      try {
        const bytes = await readSource(source, {
          maxBytes,
          field: fieldOf(source),
          signal: timed.signal,
          checkHead: checkImageHead,
        });
        return await describeBytes(bytes, maxPixels, timed.signal);
      } finally {
        clock.clearTimeout(timer);
        timed.detach();
      }
    },
    fetch: async (url, request = {}) => {
      const answer = await download(url, request);
      if (answer === undefined) return undefined;
      const bytes = await joinBytes(answer.chunks, answer.byteLength);
      const image = await describeBytes(bytes, maxPixels, request.signal);
      const { etag, etagUrl } = answer;
      return etag === undefined || etagUrl === undefined ? image : { ...image, etag, etagUrl };
    },
  };
}

const fieldOf = (source: ImageSource) =>
  typeof source === 'string' ? 'imageUrl' : isFileSource(source) ? 'file' : 'image';

async function describeBytes(
  bytes: Uint8Array,
  maxPixels: number,
  signal: AbortSignal | undefined,
  sha256?: string,
): Promise<BytesImage> {
  const { truncated, ...info } = inspectImage(bytes);
  if (truncated) throw unreadable(`the ${info.format} is cut off before its end`);
  if (info.format === 'gif' && info.animated) throw unsupportedFormat('an animated GIF');
  if (info.width * info.height > maxPixels) {
    throw new ImageError('DESCRIBE_IMAGE_TOO_LARGE', `image: more than maxPixels (${maxPixels} pixels)`);
  }
  return { kind: 'bytes', bytes, ...info, sha256: sha256 ?? (await hashBytes(bytes, signal)) };
}
