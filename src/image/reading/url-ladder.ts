import { DescribeError } from '../../errors/index.ts';
import type { Clock } from '../../internal/clock.ts';
import type { DownloadedImage, ImageLoader, LoadedImage } from './image-loader.ts';
import { InlineHosts, type InlineHostsOptions } from './inline-hosts.ts';

/**
 * Which images this process downloads itself. `none`: those that the API could not. `all`: every one. `resolvable`:
 * every one whose host this machine finds; the URL of another is sent, for an API on this very machine does not find it
 * either.
 */
export type UrlDownloads = 'none' | 'resolvable' | 'all';

export interface UrlLadderOptions extends InlineHostsOptions {
  /**
   * Asked for each URL: which images are downloaded here, under the guard, instead of by the API. For an API in the own
   * network, which would download from where no stranger may reach. @defaultValue none
   */
  readonly downloads?: (() => UrlDownloads) | undefined;
  readonly clock?: Clock | undefined;
  /**
   * Tells the failures of a host that the API could not download from.
   * @defaultValue code `DESCRIBE_IMAGE_FETCH_FAILED`
   */
  readonly isDownloadFailure?: ((error: unknown) => boolean) | undefined;
}

export interface LadderSendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Awaited before bytes are downloaded, as for room in memory; what it rejects with ends the sending. */
  readonly beforeDownload?: (() => Promise<void>) | undefined;
}

/**
 * Sends an image in the cheapest way that works: its URL first, and where the API cannot download that, its bytes,
 * once. The host is remembered, so that its next image goes inline at once.
 *
 * @example
 * ```ts
 * import { createImageLoader, UrlLadder } from '@describe-it/sdk/image';
 *
 * const ladder = new UrlLadder(createImageLoader());
 * const image = { kind: 'url', url: 'https://images.example.com/cat.jpg' } as const;
 * await ladder.send(image, async (sendable) => sendable.kind);
 * ```
 */
export class UrlLadder {
  readonly #loader: Pick<ImageLoader, 'fetch'>;
  readonly #hosts: InlineHosts;
  readonly #isDownloadFailure: (error: unknown) => boolean;
  readonly #downloads: () => UrlDownloads;

  /** @throws `DESCRIBE_CONFIG_INVALID` for a wrong option. */
  constructor(
    loader: Pick<ImageLoader, 'fetch'>,
    { isDownloadFailure = isFetchFailure, downloads = () => 'none', ...hosts }: UrlLadderOptions = {},
  ) {
    this.#loader = loader;
    this.#hosts = new InlineHosts(hosts);
    this.#isDownloadFailure = isDownloadFailure;
    this.#downloads = downloads;
  }

  /** Hosts whose images go inline at once. */
  get inlineHosts(): number {
    return this.#hosts.size;
  }

  /**
   * Calls `send` with the image, and a second time with its bytes where the first failed on the download. A host that
   * is remembered goes the other way round: where we can't download from it any more, the URL is sent once. Rejects as
   * `send` does, or as the download does.
   */
  async send<Result>(
    image: LoadedImage,
    send: (image: LoadedImage) => Promise<Result>,
    options: LadderSendOptions = {},
  ): Promise<Result> {
    const { signal } = options;
    if (image.kind === 'bytes') return send(image);
    const downloads = this.#downloads();
    if (downloads !== 'none') return this.#sendDownloaded(image, send, options, downloads);
    if (this.#hosts.has(image.url)) {
      const downloaded = await this.#download(image.url, options).catch((error: unknown) => {
        signal?.throwIfAborted();
        if (!isFetchFailure(error)) throw error;
      });
      if (downloaded !== undefined) return send(downloaded);
      const result = await send(image);
      this.#hosts.delete(image.url);
      return result;
    }
    try {
      return await send(image);
    } catch (error) {
      signal?.throwIfAborted();
      if (!this.#isDownloadFailure(error)) throw error;
    }
    const downloaded = await this.#download(image.url, options);
    // Only now: a host that nobody can reach is not one that needs us.
    this.#hosts.add(image.url);
    return send(downloaded);
  }

  async #sendDownloaded<Result>(
    image: LoadedImage & { readonly kind: 'url' },
    send: (image: LoadedImage) => Promise<Result>,
    options: LadderSendOptions,
    downloads: UrlDownloads,
  ): Promise<Result> {
    let downloaded: DownloadedImage;
    try {
      downloaded = await this.#download(image.url, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (downloads === 'all' || !isUnknownHost(error)) throw error;
      return send(image);
    }
    return send(downloaded);
  }

  async #download(url: string, { signal, beforeDownload }: LadderSendOptions): Promise<DownloadedImage> {
    await beforeDownload?.();
    const downloaded = await this.#loader.fetch(url, { signal });
    if (downloaded === undefined) throw new TypeError('a download without an ETag was answered as unchanged');
    return downloaded;
  }
}

/**
 * Codes of getaddrinfo for a name that is unknown, and for a resolver that is away, as on a machine without a network.
 */
const UNKNOWN_HOST_CODES: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'EAI_AGAIN']);

const isUnknownHost = (error: unknown): boolean =>
  isFetchFailure(error) &&
  UNKNOWN_HOST_CODES.has(((error as Error).cause as { readonly code?: unknown } | undefined)?.code);

const isFetchFailure = (error: unknown) => DescribeError.is(error, 'DESCRIBE_IMAGE_FETCH_FAILED');
