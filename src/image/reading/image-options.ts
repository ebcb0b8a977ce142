import { ADDRESS_GUARD_SPEC, type AddressGuardOptions } from '../../http/guard/address-guard.ts';
import { callable, integer, milliseconds, type OptionChecks } from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import type { ImageTransform } from './image-transform.ts';

/** Limits of one image, and its allowed sources. */
export interface ImageOptions extends AddressGuardOptions {
  /** Most bytes of an image, at least 1. @defaultValue 20_000_000 */
  readonly maxBytes?: number | undefined;
  /** Most pixels of an image (width times height), at least 1. @defaultValue 268_402_689 (16,383 squared) */
  readonly maxPixels?: number | undefined;
  /** Most milliseconds that reading a stream, `Blob` or file may take. @defaultValue 30_000 */
  readonly readTimeoutMs?: number | undefined;
  /**
   * Most milliseconds that downloading an image may take, from the look-up of its host to its last byte.
   * @defaultValue 15_000
   */
  readonly fetchTimeoutMs?: number | undefined;
  /** Most redirects that a download follows, at least 0; each is checked like the first address. @defaultValue 3 */
  readonly maxRedirects?: number | undefined;
  /**
   * Your function that makes the image to send of the one given, with sharp for example: a smaller one, or a JPEG of a
   * HEIC. It gets the bytes, in any format, and `{ format, width, height, signal }`. It returns bytes, `{ bytes }`, or
   * a promise of them. Type, size, hash and tokens are those of its result. When it throws, the image is
   * `DESCRIBE_IMAGE_UNREADABLE` with the `cause`.
   * @defaultValue none
   */
  readonly transform?: ImageTransform | undefined;
}

export const IMAGE_SPEC = {
  ...ADDRESS_GUARD_SPEC,
  maxBytes: withDefault(integer({ min: 1 }), 20_000_000),
  maxPixels: withDefault(integer({ min: 1 }), 268_402_689),
  readTimeoutMs: withDefault(milliseconds(), 30_000),
  fetchTimeoutMs: withDefault(milliseconds(), 15_000),
  maxRedirects: withDefault(integer({ min: 0, max: 20 }), 3),
  transform: callable(),
} satisfies OptionChecks<ImageOptions>;
