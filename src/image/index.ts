export { type CanonicalUrlOptions, canonicalUrl } from './canonical-url.ts';
export { toDataUrl } from './data-url.ts';
export { hashBytes } from './hash-bytes.ts';
export type { ImageFormat, ImageInfo, ImageMediaType } from './image-format.ts';
export { createImageIdentity, type ImageIdentity, imageIdentity } from './image-identity.ts';
export type { ByteStream, FileSource, ImageSource } from './image-source.ts';
export { inspectImage } from './inspect-image.ts';
export {
  type BytesImage,
  createImageLoader,
  IMAGE_OPTION_CHECKS,
  type ImageLoader,
  type ImageOptions,
  type LoadedImage,
  type LoadImageOptions,
  loadImage,
  type UrlImage,
} from './load-image.ts';
