export { AddressGuard, type AddressGuardOptions } from '../http/guard/address-guard.ts';
export type { ResolveHost } from '../http/guard/pinned-fetch.ts';
export { type CanonicalUrlOptions, canonicalUrl } from '../internal/canonical-url.ts';
export type { ImageFormat, ImageInfo, ImageMediaType } from './formats/image-format.ts';
export { inspectImage } from './formats/inspect-image.ts';
export {
  type AliasedContent,
  ContentAliases,
  type ContentAliasOptions,
} from './identity/content-alias.ts';
export { createImageIdentity, type ImageIdentity, imageIdentity } from './identity/image-identity.ts';
export { toDataUrl } from './reading/data-url.ts';
export { hashBytes } from './reading/hash-bytes.ts';
export type { BytesImage, DownloadedImage, LoadedImage, UrlImage } from './reading/image-loader.ts';
export {
  createImageLoader,
  type ImageLoader,
  type ImageLoaderOptions,
  type LoadImageOptions,
  loadImage,
} from './reading/image-loader.ts';
export type { ImageOptions } from './reading/image-options.ts';
export type { ByteStream, FileSource, ImageResponse, ImageSource } from './reading/image-source.ts';
export type { ImageTransform, ImageTransformInfo, TransformedImage } from './reading/image-transform.ts';
export { InlineHosts, type InlineHostsOptions } from './reading/inline-hosts.ts';
export {
  type LadderSendOptions,
  type UrlDownloads,
  UrlLadder,
  type UrlLadderOptions,
} from './reading/url-ladder.ts';
