import { hash } from 'node:crypto';
import { ImageError } from '../../errors/index.ts';
import { type FlightContext, SingleFlight } from '../../internal/async/single-flight.ts';
import { canonicalUrl } from '../../internal/canonical-url.ts';
import type { Clock } from '../../internal/clock.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import {
  checkOptions,
  clockOption,
  integer,
  milliseconds,
  type OptionChecks,
} from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import type { DownloadedImage, ImageLoader } from '../reading/image-loader.ts';

export interface ContentAliasOptions {
  /** Milliseconds for which a URL's content counts as unchanged without a request, at least 0. @defaultValue 60_000 */
  readonly aliasTtlMs?: number | undefined;
  /** Most URLs remembered, at least 1; the least recently used one is evicted. @defaultValue 10_000 */
  readonly maxAliases?: number | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

export const CONTENT_ALIAS_SPEC = {
  aliasTtlMs: withDefault(milliseconds({ min: 0 }), 60_000),
  maxAliases: withDefault(integer({ min: 1 }), 10_000),
  clock: clockOption,
} satisfies OptionChecks<ContentAliasOptions>;

export interface AliasScope {
  /**
   * The scope of the caller. Scopes share no knowledge of a URL: each has to prove that it can download it.
   * @defaultValue one scope for all
   */
  readonly scope?: string | undefined;
}

interface ResolveOptions extends AliasScope {
  readonly signal?: AbortSignal | undefined;
}

/** The content of a URL. */
export interface AliasedContent {
  readonly kind: 'bytes';
  /** SHA-256 of the content, in hexadecimal. */
  readonly sha256: string;
  /** The content, where this call downloaded it. */
  readonly image?: DownloadedImage;
}

/** The outcome of a download of one of the URLs of an image. */
type Download = { readonly href: string } & ({ readonly content: AliasedContent } | { readonly error: unknown });

interface Alias {
  readonly sha256: string;
  readonly etag: string | undefined;
  readonly etagUrl: string | undefined;
  readonly checkedAtMs: number;
}

/** A longer ETag is not stored: ten thousand of the longest ones would take 160 MB. */
const MAX_ETAG_URL_LENGTH = 2_048;

/** A key of fixed length. A canonical URL holds no line break, so that the parts cannot be confused. */
const keyOf = (url: string | URL, { scope = '' }: AliasScope): string =>
  hash('sha256', `${canonicalUrl(url)}\n${scope}`, 'base64');

/**
 * Names images by the content of their URLs. One image under two URLs has one identity, and changed bytes under one URL
 * get a new one within `aliasTtlMs`. After that time the URL is requested again with its ETag, so that an unchanged
 * image costs an empty answer. Concurrent calls for one URL share one download. If it fails, calls with another
 * signature in their URL try their own.
 *
 * @example
 * ```ts
 * import { ContentAliases, createImageLoader, imageIdentity } from '@describe-it/sdk/image';
 *
 * const aliases = new ContentAliases(createImageLoader());
 * const identity = imageIdentity(await aliases.resolve('https://images.example.com/cat.jpg'));
 * ```
 */
export class ContentAliases {
  readonly #loader: Pick<ImageLoader, 'fetch'>;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #aliases: BoundedMap<string, Alias>;
  readonly #downloads = new SingleFlight<Download>();

  /** @throws `DESCRIBE_CONFIG_INVALID` for a wrong option. */
  constructor(loader: Pick<ImageLoader, 'fetch'>, options: ContentAliasOptions = {}) {
    const { clock, aliasTtlMs, maxAliases } = checkOptions('ContentAliases', options, CONTENT_ALIAS_SPEC);
    this.#loader = loader;
    this.#clock = clock;
    this.#ttlMs = aliasTtlMs;
    this.#aliases = new BoundedMap(maxAliases);
  }

  /** URLs remembered. */
  get size(): number {
    return this.#aliases.size;
  }

  /** Tells whether `resolve` would need no request. */
  isFresh(url: string | URL, scope: AliasScope = {}): boolean {
    const known = this.#aliases.peek(keyOf(url, scope));
    return known !== undefined && this.#isFresh(known);
  }

  /** Gives the content of the URL, at most `aliasTtlMs` old. Throws as `ImageLoader.fetch` does. */
  async resolve(url: string | URL, options: ResolveOptions = {}): Promise<AliasedContent> {
    const { signal } = options;
    signal?.throwIfAborted();
    const key = keyOf(url, options);
    const known = this.#aliases.get(key);
    if (known !== undefined && this.#isFresh(known)) return { kind: 'bytes', sha256: known.sha256 };
    return this.#share(key, key, url, known, signal);
  }

  /**
   * Downloads the content of the URL and remembers it. Use it where a description must be of the very bytes that name
   * it: the API may find other bytes at the URL. Throws as `resolve` does.
   */
  async download(url: string | URL, options: ResolveOptions = {}): Promise<DownloadedImage> {
    const { signal } = options;
    signal?.throwIfAborted();
    const key = keyOf(url, options);
    const shared = `${key} whole`;
    const { image } = await this.#share(shared, key, url, undefined, signal);
    if (image === undefined) throw withoutEtag();
    return image;
  }

  /** Forgets a URL, or everything. */
  forget(url?: string | URL, scope: AliasScope = {}): void {
    if (url === undefined) this.#aliases.clear();
    else this.#aliases.delete(keyOf(url, scope));
  }

  #isFresh({ checkedAtMs }: Alias): boolean {
    return this.#clock.now() - checkedAtMs < this.#ttlMs;
  }

  /** Joins the download that runs under the name `shared`, or starts one. */
  async #share(
    shared: string,
    key: string,
    url: string | URL,
    known: Alias | undefined,
    signal: AbortSignal | undefined,
  ): Promise<AliasedContent> {
    const { href } = new URL(url);
    const download = async (context: FlightContext): Promise<Download> => {
      try {
        return { href, content: await this.#check(key, url, known, context.signal) };
      } catch (error) {
        return { href, error };
      }
    };
    const { value: outcome } = await this.#downloads.run(shared, download, { signal });
    if ('content' in outcome) return outcome.content;
    if (outcome.href === href || signal?.aborted || !(outcome.error instanceof ImageError)) throw outcome.error;
    // The signature of the other caller's URL may have expired; this caller's has not been tried.
    return this.#share(`${shared} ${href}`, key, url, known, signal);
  }

  async #check(key: string, url: string | URL, known: Alias | undefined, signal: AbortSignal): Promise<AliasedContent> {
    // Taken before the download: the host may read the image long before its bytes arrive.
    const checkedAtMs = this.#clock.now();
    const image = await this.#loader.fetch(url, { signal, etag: known?.etag, etagUrl: known?.etagUrl });
    if (image === undefined && known !== undefined) {
      this.#aliases.set(key, { ...known, checkedAtMs });
      return { kind: 'bytes', sha256: known.sha256 };
    }
    if (image === undefined) throw withoutEtag();
    const { sha256, etagUrl = '' } = image;
    const etag = etagUrl.length > MAX_ETAG_URL_LENGTH ? undefined : image.etag;
    this.#aliases.set(key, { sha256, etag, etagUrl: etag && image.etagUrl, checkedAtMs });
    return { kind: 'bytes', sha256, image };
  }
}

/** Cannot happen with our loader: without an ETag, it treats "unchanged" as a failure. */
const withoutEtag = () => new TypeError('a download without an ETag was answered as unchanged');
