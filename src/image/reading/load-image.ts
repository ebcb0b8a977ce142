import { createImageLoader, type ImageLoaderOptions } from './image-loader.ts';
import type { ImageSource } from './image-source.ts';
import type { LoadedImage } from './loaded-image.ts';

export interface LoadImageOptions extends ImageLoaderOptions {
  readonly signal?: AbortSignal | undefined;
  /** Downloads a URL, under the guard, instead of passing it on. @defaultValue false */
  readonly download?: boolean | undefined;
}

/**
 * Takes an image from any source. A URL is only checked, by rules that need neither DNS nor a request, unless
 * `download` is set; anything else is read whole and known by its content: type, size and hash.
 *
 * @throws `DESCRIBE_INPUT_INVALID` for a source that is none, a malformed URL or one that is not http, https or data.
 * @throws `DESCRIBE_IMAGE_FORBIDDEN` for a URL whose host may not be used.
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
export async function loadImage(
  source: ImageSource,
  { signal, download = false, ...options }: LoadImageOptions = {},
): Promise<LoadedImage> {
  const loader = createImageLoader(options);
  const image = await loader.load(source, { signal });
  if (!download || image.kind === 'bytes') return image;
  // Only a request with an ETag can be told that nothing changed.
  return (await loader.fetch(image.url, { signal })) ?? image;
}
