import { DescribeError } from '../../errors/index.ts';
import type { Clock } from '../../internal/clock.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import type { DownloadedImage, ImageLoader, LoadedImage } from './image-loader.ts';
import { InlineHosts, type InlineHostsOptions } from './inline-hosts.ts';

/**
 * The images that this process downloads itself. `none`: only those that the API could not download. `all`: every
 * image. `resolvable`: every image whose host this machine can resolve. Other URLs are sent, because an API on this
 * machine cannot resolve their host either.
 */
export type UrlDownloads = 'none' | 'resolvable' | 'all';

export interface UrlLadderOptions extends InlineHostsOptions {
  /**
   * Called for each URL: the images that are downloaded here, under the guard, instead of by the API. For an API in the
   * own network, which could reach private addresses. @defaultValue none
   */
  readonly downloads?: (() => UrlDownloads) | undefined;
  readonly clock?: Clock | undefined;
  /**
   * Tells whether an error says that the API could not download from the host.
   * @defaultValue code `DESCRIBE_IMAGE_FETCH_FAILED`
   */
  readonly isDownloadFailure?: ((error: unknown) => boolean) | undefined;
}

export interface LadderSendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Awaited before bytes are downloaded, such as for capacity in memory. Its rejection ends the sending. */
  readonly beforeDownload?: (() => Promise<void>) | undefined;
}

/**
 * Sends an image in the cheapest way that works: its URL first, and its bytes if the API cannot download it. The host
 * is remembered, so that its next image is sent inline at once.
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
  constructor(loader: Pick<ImageLoader, 'fetch'>, options: UrlLadderOptions = {}) {
    const { isDownloadFailure = isFetchFailure, downloads = () => 'none', ...hosts } = callOptions(options);
    this.#loader = loader;
    this.#hosts = new InlineHosts(hosts);
    this.#isDownloadFailure = isDownloadFailure;
    this.#downloads = downloads;
  }

  /** Hosts whose images are sent inline at once. */
  get inlineHosts(): number {
    return this.#hosts.size;
  }

  /**
   * Calls `send` with the image, and again with its bytes if the API could not download it. For a remembered host the
   * bytes are sent first, and the URL if this process cannot download from it any more. Rejects as `send` or the
   * download does.
   */
  async send<Result>(
    image: LoadedImage,
    send: (image: LoadedImage) => Promise<Result>,
    given: LadderSendOptions = {},
  ): Promise<Result> {
    const options = callOptions(given);
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
    // Only after the download: a host that this process cannot reach either is not remembered.
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

/** Codes of getaddrinfo for an unknown name, and for an absent resolver, as on a machine without a network. */
const UNKNOWN_HOST_CODES: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'EAI_AGAIN']);

const isUnknownHost = (error: unknown): boolean =>
  isFetchFailure(error) &&
  UNKNOWN_HOST_CODES.has(((error as Error).cause as { readonly code?: unknown } | undefined)?.code);

const isFetchFailure = (error: unknown) => DescribeError.is(error, 'DESCRIBE_IMAGE_FETCH_FAILED');
