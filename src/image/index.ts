export type { ResolveHost } from '../http/pinned-fetch.ts';
export { type CanonicalUrlOptions, canonicalUrl } from '../internal/canonical-url.ts';
export {
  type AliasedContent,
  CONTENT_ALIAS_CHECKS,
  ContentAliases,
  type ContentAliasOptions,
} from './content-alias.ts';
export { toDataUrl } from './data-url.ts';
export { expectedBytes } from './expected-bytes.ts';
export { hashBytes } from './hash-bytes.ts';
export type { ImageFormat, ImageInfo, ImageMediaType } from './image-format.ts';
export { createImageIdentity, type ImageIdentity, imageIdentity } from './image-identity.ts';
export { createImageLoader, type ImageLoader, type ImageLoaderOptions } from './image-loader.ts';
export { IMAGE_DEFAULTS, IMAGE_OPTION_CHECKS, type ImageOptions } from './image-options.ts';
export type { ByteStream, FileSource, ImageSource } from './image-source.ts';
export { INLINE_HOSTS_CHECKS, InlineHosts, type InlineHostsOptions } from './inline-hosts.ts';
export { inspectImage } from './inspect-image.ts';
export { type LoadImageOptions, loadImage } from './load-image.ts';
export type { BytesImage, DownloadedImage, LoadedImage, UrlImage } from './loaded-image.ts';
export { type LadderSendOptions, type UrlDownloads, UrlLadder, type UrlLadderOptions } from './url-ladder.ts';
