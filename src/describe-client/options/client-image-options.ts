import type { CanonicalUrlOptions, ImageOptions } from '../../image/index.ts';
import { IMAGE_SPEC } from '../../image/reading/image-options.ts';
import { listOf, milliseconds, nonEmptyText, type OptionChecks, oneOf } from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';

/** Limits of images, the hosts they may come from, and what makes two of them one. */
export interface ClientImageOptions extends ImageOptions, CanonicalUrlOptions {
  /**
   * How an image at a URL is known. `'url'`: by its canonical form, without signature parameters; no request is made.
   * `'content'`: by its bytes, which this process downloads (guarded). The same image under two URLs is then described
   * once, and changed bytes under one URL are described anew.
   * @defaultValue 'url'
   */
  readonly imageIdentity?: 'url' | 'content' | undefined;
  /**
   * With `imageIdentity: 'content'`, milliseconds for which a URL's content is taken as unchanged; then its ETag is
   * asked for. At least 0.
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
