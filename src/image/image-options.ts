import { ADDRESS_GUARD_CHECKS, type AddressGuardOptions } from '../http/guard/address-guard.ts';
import { integer, milliseconds, type OptionChecks } from '../internal/options/option-checks.ts';

/** Bounds on one image, and where it may come from. */
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
}

export const IMAGE_DEFAULTS = {
  maxBytes: 20_000_000,
  maxPixels: 16_383 ** 2,
  readTimeoutMs: 30_000,
  fetchTimeoutMs: 15_000,
  maxRedirects: 3,
} as const satisfies ImageOptions;

/** Checks of the image options, for owners that nest them. */
export const IMAGE_OPTION_CHECKS: OptionChecks<ImageOptions> = {
  ...ADDRESS_GUARD_CHECKS,
  maxBytes: integer({ min: 1 }),
  maxPixels: integer({ min: 1 }),
  readTimeoutMs: milliseconds(),
  fetchTimeoutMs: milliseconds(),
  maxRedirects: integer({ min: 0, max: 20 }),
};
