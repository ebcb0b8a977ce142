import {
  type CanonicalUrlOptions,
  ContentAliases,
  createImageIdentity,
  createImageLoader,
  type ImageIdentity,
  type ImageLoader,
  type ImageOptions,
  type ImageSource,
  type LoadedImage,
  type UrlDownloads,
  UrlLadder,
} from '../../image/index.ts';
import { isDataUrl } from '../../image/reading/data-url.ts';
import { hashFewBytes } from '../../image/reading/hash-bytes.ts';
import { IMAGE_SPEC } from '../../image/reading/image-options.ts';
import { asBytes, expectedBytes } from '../../image/reading/image-source.ts';
import type { Clock } from '../../internal/clock.ts';
import {
  listOf,
  milliseconds,
  nonEmptyText,
  type OptionChecks,
  oneOf,
  settingsOf,
} from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import { type ByteCapacity, UNBOUNDED_CAPACITY } from './admission.ts';
import type { NormalisedRequest } from './normalise-request.ts';

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

/** The name by which an image is known. */
export interface ImageName {
  readonly identity: string;
  /** SHA-256 of its bytes, in hexadecimal, where they were hashed. */
  readonly sha256?: string;
  /** An image that is only passed on. */
  readonly image?: LoadedImage | undefined;
}

export const CLIENT_IMAGE_SPEC = {
  ...IMAGE_SPEC,
  ignoreParameters: listOf(nonEmptyText()),
  imageIdentity: withDefault(oneOf('url', 'content'), 'url'),
  aliasTtlMs: withDefault(milliseconds({ min: 0 }), 60_000),
} satisfies OptionChecks<ClientImageOptions>;

/** An image that was taken in, and its name. */
export interface TakenImage {
  readonly image: LoadedImage;
  readonly identity: string;
  /** The scope of the request that it was taken for. */
  readonly scope: string;
}

/** The bytes at a URL are not those that its name was made of any more. Never reaches a caller. */
export class ImageMoved extends Error {
  readonly taken: TakenImage;

  constructor(taken: TakenImage) {
    super('the image at this URL has changed');
    this.taken = taken;
  }
}

/**
 * Takes images in: loads and names them, and sends them in the cheapest way that works. Capacity is taken before bytes
 * are read. An image from elsewhere may be as large as `maxBytes`: it takes that much until its size is known.
 */
export class ImageIntake {
  readonly #loader: ImageLoader;
  readonly #identify: ImageIdentity;
  readonly #aliases: ContentAliases | undefined;
  readonly #ladder: UrlLadder;
  readonly #maxBytes: number;

  /**
   * @param downloads - Tells which images the API must not download: it may reach hosts that strangers must not.
   * @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option.
   */
  constructor(options: ClientImageOptions, clock: Clock, downloads?: () => UrlDownloads) {
    const { ignoreParameters, imageIdentity, aliasTtlMs, ...limits } = settingsOf(options, CLIENT_IMAGE_SPEC);
    this.#loader = createImageLoader({ ...limits, clock });
    this.#identify = createImageIdentity({ ignoreParameters });
    this.#aliases = imageIdentity === 'content' ? new ContentAliases(this.#loader, { aliasTtlMs, clock }) : undefined;
    this.#ladder = new UrlLadder(this.#loader, { clock, downloads });
    this.#maxBytes = limits.maxBytes;
  }

  /**
   * The name of an image that needs no wait: of few bytes in memory, or of a URL that is named by itself. Does not
   * check whether the bytes are an image.
   * @throws as `take` does, for a URL.
   */
  nameAtOnce(source: ImageSource): ImageName | undefined {
    if (typeof source === 'string' || source instanceof URL) {
      if (this.#aliases !== undefined || (typeof source === 'string' && isDataUrl(source))) return undefined;
      const image = this.#loader.checkUrl(source);
      return { identity: this.#identify(image), image };
    }
    const bytes = asBytes(source);
    if (bytes === undefined || bytes.length === 0 || bytes.length > this.#maxBytes) return undefined;
    const sha256 = hashFewBytes(bytes);
    if (sha256 === undefined) return undefined;
    return { identity: this.#identify({ kind: 'bytes', sha256 }), sha256, image: undefined };
  }

  /** Loads an image, of a URL only as much as its name needs. `name` is the one of `nameAtOnce`. */
  async take(
    { image: source, scope = '' }: Pick<NormalisedRequest, 'image'> & { readonly scope?: string },
    signal: AbortSignal,
    capacity: ByteCapacity = UNBOUNDED_CAPACITY,
    name?: ImageName,
  ): Promise<TakenImage> {
    if (name?.image !== undefined) return { image: name.image, identity: name.identity, scope };
    const expected = expectedBytes(source, { maxBytes: this.#maxBytes, signal });
    if (expected !== 0) await capacity.reserve(await expected, signal);
    const image = await this.#loader.load(source, { signal, sha256: name?.sha256 });
    if (image.kind === 'bytes') capacity.correct(image.bytes.byteLength);
    if (image.kind === 'bytes' || this.#aliases === undefined) return { image, identity: this.#identify(image), scope };
    if (!this.#aliases.isFresh(image.url, { scope })) await capacity.reserve(this.#maxBytes, signal);
    const content = await this.#aliases.resolve(image.url, { signal, scope });
    capacity.correct(content.image?.bytes.byteLength ?? 0);
    return { image: content.image ?? image, identity: this.#identify(content), scope };
  }

  /** Loads an image without any request: what a URL holds stays unknown. */
  peek(source: ImageSource, signal: AbortSignal | undefined): Promise<LoadedImage> {
    return this.#loader.load(source, { signal });
  }

  /**
   * The image to send for a name. A URL that is known by content may hold other bytes by now, so its bytes are sent.
   * @throws `ImageMoved` where they have another name.
   */
  async settle(
    { image, identity, scope }: TakenImage,
    signal: AbortSignal,
    capacity: ByteCapacity = UNBOUNDED_CAPACITY,
  ): Promise<LoadedImage> {
    if (image.kind === 'bytes' || this.#aliases === undefined) return image;
    await capacity.reserve(this.#maxBytes, signal);
    const downloaded = await this.#aliases.download(image.url, { signal, scope });
    capacity.correct(downloaded.bytes.byteLength);
    const current = this.#identify(downloaded);
    if (current !== identity) throw new ImageMoved({ image: downloaded, identity: current, scope });
    return downloaded;
  }

  /** Sends an image's URL, and where the API can't download that, its bytes, once; remembers such hosts. */
  send<Result>(
    image: LoadedImage,
    send: (image: LoadedImage) => Promise<Result>,
    signal: AbortSignal,
    capacity: ByteCapacity = UNBOUNDED_CAPACITY,
  ): Promise<Result> {
    const sendSized = (sendable: LoadedImage) => {
      capacity.correct(sendable.kind === 'bytes' ? sendable.bytes.byteLength : 0);
      return send(sendable);
    };
    if (image.kind === 'bytes') return sendSized(image);
    const beforeDownload = () => capacity.reserve(this.#maxBytes, signal);
    return this.#ladder.send(image, sendSized, { signal, beforeDownload });
  }
}
