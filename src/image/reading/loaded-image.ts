import type { ImageInfo } from '../formats/image-format.ts';

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

/** An image that was downloaded, with what its host names this version of it. */
export interface DownloadedImage extends BytesImage {
  readonly etag?: string;
  /** Canonical form of the URL, behind all redirects, whose ETag it is. */
  readonly etagUrl?: string;
}
