import type { CanonicalUrlOptions, ImageOptions } from '../../image/index.ts';
import { IMAGE_SPEC } from '../../image/reading/image-options.ts';
import { listOf, milliseconds, nonEmptyText, type OptionChecks, oneOf } from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';

/** Limits of images, their allowed hosts, and the rule by which two images are the same. */
export interface ClientImageOptions extends ImageOptions, CanonicalUrlOptions {
  /**
   * How an image at a URL is identified. `'url'`: by its canonical form, without signature parameters and without a
   * request. `'content'`: by its bytes, which this process downloads (guarded). The same image under two URLs is
   * then described once, and changed bytes under one URL are described again.
   * @defaultValue 'url'
   */
  readonly imageIdentity?: 'url' | 'content' | undefined;
  /**
   * With `imageIdentity: 'content'`, milliseconds for which a URL's content counts as unchanged. After that, its ETag
   * is compared. At least 0.
   * @defaultValue 60_000
   */
  readonly aliasTtlMs?: number | undefined;
}

export const CLIENT_IMAGE_SPEC = {
  ...IMAGE_SPEC,
  ignoreParameters: listOf(nonEmptyText()),
  imageIdentity: withDefault(oneOf('url', 'content'), 'url'),
  aliasTtlMs: withDefault(milliseconds({ min: 0 }), 60_000),
} satisfies OptionChecks<ClientImageOptions>;
