import { hash } from 'node:crypto';
import { type CanonicalUrlOptions, canonicalUrl } from '../../internal/canonical-url.ts';
import { callOptions, NO_OPTIONS } from '../../internal/options/own-options.ts';
import type { BytesImage, UrlImage } from '../reading/image-loader.ts';

/** Names an image. Two images with the same identity are one image. */
export type ImageIdentity = (image: UrlImage | Pick<BytesImage, 'kind' | 'sha256'>) => string;

/**
 * Makes the function that names images: by content where there are bytes, else by canonical URL. Both are hashed, so
 * that no address is in a cache key.
 *
 * @example
 * ```ts
 * import { createImageIdentity, loadImage } from '@describe-it/sdk/image';
 *
 * const identify = createImageIdentity({ ignoreParameters: ['campaign'] });
 * console.log(identify(await loadImage('https://images.example.com/cat.jpg?campaign=7')));
 * ```
 */
export const createImageIdentity = (given: CanonicalUrlOptions = NO_OPTIONS): ImageIdentity => {
  const options = callOptions(given);
  return (image) =>
    image.kind === 'bytes'
      ? `sha256:${image.sha256}`
      : `url:${hash('sha256', canonicalUrl(image.url, options), 'hex')}`;
};

/** The identity under default options. */
export const imageIdentity: ImageIdentity = createImageIdentity();
