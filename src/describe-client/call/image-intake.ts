import {
  ContentAliases,
  createImageIdentity,
  createImageLoader,
  type ImageIdentity,
  type ImageLoader,
  type ImageSource,
  type LoadedImage,
  type UrlDownloads,
  UrlLadder,
} from '../../image/index.ts';
import { isDataUrl } from '../../image/reading/data-url.ts';
import { hashFewBytes } from '../../image/reading/hash-bytes.ts';
import { asBytes, expectedBytes } from '../../image/reading/image-source.ts';
import type { Clock } from '../../internal/clock.ts';
import { settingsOf } from '../../internal/options/option-checks.ts';
import { CLIENT_IMAGE_SPEC, type ClientImageOptions } from '../options/client-image-options.ts';
import type { NormalisedRequest } from '../options/request-spec.ts';
import type { ByteCapacity } from './admission-ticket.ts';

/** The name by which an image is known. */
export interface ImageName {
  readonly identity: string;
  /** SHA-256 of its bytes, in hexadecimal, where they were hashed. */
  readonly sha256?: string;
  /** An image that is only passed on. */
  readonly image?: LoadedImage | undefined;
}

/** An image that was taken in, and its name. */
export interface TakenImage {
  readonly image: LoadedImage;
  readonly identity: string;
  /** The scope of the request that it was taken for. */
  readonly scope: string;
}

/** The bytes at a URL are no longer those that its name was made from. Never reaches a caller. */
export class ImageMoved extends Error {
  readonly taken: TakenImage;

  constructor(taken: TakenImage) {
    super('the image at this URL has changed');
    this.taken = taken;
  }
}

/**
 * Loads and names images, and sends them in the cheapest way that works. Capacity is taken before bytes are read. A
 * remote image may be as large as `maxBytes`, so it takes that much until its size is known.
 */
export class ImageIntake {
  readonly #loader: ImageLoader;
  readonly #identify: ImageIdentity;
  readonly #aliases: ContentAliases | undefined;
  readonly #ladder: UrlLadder;
  readonly #maxBytes: number;
  readonly #isTransformed: boolean;

  /**
   * @param downloads - Tells which images the API must not download, because it may reach hosts that strangers must
   * not.
   * @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option.
   */
  constructor(options: ClientImageOptions, clock: Clock, downloads?: () => UrlDownloads) {
    const { ignoreParameters, imageIdentity, aliasTtlMs, ...limits } = settingsOf(options, CLIENT_IMAGE_SPEC);
    this.#loader = createImageLoader({ ...limits, clock });
    const identify = createImageIdentity({ ignoreParameters });
    this.#aliases = imageIdentity === 'content' ? new ContentAliases(this.#loader, { aliasTtlMs, clock }) : undefined;
    this.#isTransformed = limits.transform !== undefined;
    // A URL says nothing of the image that is made of it. Clients without the transform may share the cache.
    this.#identify = this.#isTransformed
      ? (image) => (image.kind === 'url' ? `transformed ${identify(image)}` : identify(image))
      : identify;
    // The transform needs the bytes.
    const wanted = this.#isTransformed ? () => 'all' as const : downloads;
    this.#ladder = new UrlLadder(this.#loader, { clock, downloads: wanted });
    this.#maxBytes = limits.maxBytes;
  }

  /**
   * The name of an image that needs no wait: a few bytes in memory, or a URL that is its own name. Does not check
   * whether the bytes are an image.
   * @throws as `take` does, for a URL.
   */
  nameAtOnce(source: ImageSource): ImageName | undefined {
    if (typeof source === 'string' || source instanceof URL) {
      if (this.#aliases !== undefined || (typeof source === 'string' && isDataUrl(source))) return undefined;
      const image = this.#loader.checkUrl(source);
      return { identity: this.#identify(image), image };
    }
    // Their name is that of the bytes that the transform makes of them.
    const bytes = this.#isTransformed ? undefined : asBytes(source);
    if (bytes === undefined || bytes.length === 0 || bytes.length > this.#maxBytes) return undefined;
    const sha256 = hashFewBytes(bytes);
    if (sha256 === undefined) return undefined;
    return { identity: this.#identify({ kind: 'bytes', sha256 }), sha256, image: undefined };
  }

  /** Loads an image. Reads a URL only as far as its name needs. `name` is the result of `nameAtOnce`. */
  async take(
    { image: source, scope = '' }: Pick<NormalisedRequest, 'image'> & { readonly scope?: string },
    signal: AbortSignal,
    capacity: ByteCapacity,
    name?: ImageName,
  ): Promise<TakenImage> {
    if (name?.image !== undefined) return { image: name.image, identity: name.identity, scope };
    const size = expectedBytes(source, { maxBytes: this.#maxBytes, signal });
    const bytes = typeof size === 'number' ? size : await size;
    const wait = bytes > 0 ? capacity.reserve(bytes, signal) : undefined;
    if (wait !== undefined) await wait;
    const image = await this.#loader.load(source, { signal, sha256: name?.sha256 });
    if (image.kind === 'bytes') capacity.correct(image.bytes.byteLength);
    if (image.kind === 'bytes' || this.#aliases === undefined) return { image, identity: this.#identify(image), scope };
    if (!this.#aliases.isFresh(image.url, { scope })) await capacity.reserve(this.#maxBytes, signal);
    const content = await this.#aliases.resolve(image.url, { signal, scope });
    capacity.correct(content.image?.bytes.byteLength ?? 0);
    return { image: content.image ?? image, identity: this.#identify(content), scope };
  }

  /** Loads an image without any request, so a URL's content stays unknown. */
  peek(source: ImageSource, signal: AbortSignal | undefined): Promise<LoadedImage> {
    return this.#loader.load(source, { signal });
  }

  /**
   * Sends an image's URL. Where the API can't download it, sends its bytes once, and remembers such hosts. A URL that
   * is named by its content may have changed, so its bytes are sent.
   * @throws `ImageMoved` where the bytes have another name.
   */
  async send<Result>(
    taken: TakenImage,
    send: (image: LoadedImage) => Promise<Result>,
    signal: AbortSignal,
    capacity: ByteCapacity,
  ): Promise<Result> {
    const { image } = taken;
    // Its capacity is held already.
    if (image.kind === 'bytes') return send(image);
    const beforeDownload = async () => capacity.reserve(this.#maxBytes, signal);
    if (this.#aliases !== undefined) {
      await beforeDownload();
      return send(await this.#settled(taken, image.url, this.#aliases, signal, capacity));
    }
    const sendSized = (sendable: LoadedImage) => {
      capacity.correct(sendable.kind === 'bytes' ? sendable.bytes.byteLength : 0);
      return send(sendable);
    };
    return this.#ladder.send(image, sendSized, { signal, beforeDownload });
  }

  async #settled(
    { identity, scope }: TakenImage,
    url: string,
    aliases: ContentAliases,
    signal: AbortSignal,
    capacity: ByteCapacity,
  ): Promise<LoadedImage> {
    const image = await aliases.download(url, { signal, scope });
    capacity.correct(image.bytes.byteLength);
    const current = this.#identify(image);
    if (current !== identity) throw new ImageMoved({ image, identity: current, scope });
    return image;
  }
}
