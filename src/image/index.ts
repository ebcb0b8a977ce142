export type { ResolveHost } from '../http/guard/pinned-fetch.ts';
export { type CanonicalUrlOptions, canonicalUrl } from '../internal/canonical-url.ts';
export type { ImageFormat, ImageInfo, ImageMediaType } from './formats/image-format.ts';
export { inspectImage } from './formats/inspect-image.ts';
export {
  type AliasedContent,
  CONTENT_ALIAS_CHECKS,
  ContentAliases,
  type ContentAliasOptions,
} from './identity/content-alias.ts';
export { hashBytes } from './identity/hash-bytes.ts';
export { createImageIdentity, type ImageIdentity, imageIdentity } from './identity/image-identity.ts';
export { IMAGE_DEFAULTS, IMAGE_OPTION_CHECKS, type ImageOptions } from './image-options.ts';
export { toDataUrl } from './reading/data-url.ts';
export { expectedBytes } from './reading/expected-bytes.ts';
export { createImageLoader, type ImageLoader, type ImageLoaderOptions } from './reading/image-loader.ts';
export type { ByteStream, FileSource, ImageSource } from './reading/image-source.ts';
export { INLINE_HOSTS_CHECKS, InlineHosts, type InlineHostsOptions } from './reading/inline-hosts.ts';
export { type LoadImageOptions, loadImage } from './reading/load-image.ts';
export type { BytesImage, DownloadedImage, LoadedImage, UrlImage } from './reading/loaded-image.ts';
export {
  type LadderSendOptions,
  type UrlDownloads,
  UrlLadder,
  type UrlLadderOptions,
} from './reading/url-ladder.ts';
