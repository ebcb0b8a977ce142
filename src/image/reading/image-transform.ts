import { DescribeError, ImageError, type ImageErrorCode } from '../../errors/index.ts';
import { raceSignal } from '../../internal/async/signals.ts';
import { describeKind, describeValue } from '../../internal/options/option-checks.ts';
import { unreadable } from '../formats/image-errors.ts';
import type { ImageFormat, ImageInfo } from '../formats/image-format.ts';
import { inspectImage } from '../formats/inspect-image.ts';
import { unsupportedName } from '../formats/unsupported-formats.ts';
import { asBytes } from './image-source.ts';

/** Facts about an image before its transform, by its content. */
export interface ImageTransformInfo {
  /**
   * A format that the API takes, or the name of one that it does not, such as `'HEIC'`, `'AVIF'`, `'TIFF'` or `'SVG'`.
   * Undefined for bytes of no known format, or with a damaged header.
   */
  readonly format?: ImageFormat | (string & {}) | undefined;
  /** Pixels across as shown, after EXIF orientation; known for the formats that the API takes. */
  readonly width?: number | undefined;
  /** Pixels down as shown, after EXIF orientation; known for the formats that the API takes. */
  readonly height?: number | undefined;
  /** Aborts when nobody waits for the image any more. Then the result is ignored. */
  readonly signal: AbortSignal;
}

/** An image as a transform returns it. */
export interface TransformedImage {
  readonly bytes: Uint8Array | ArrayBuffer;
  /** Only compared with the content, which says itself what it is. @defaultValue that of the content */
  readonly mediaType?: string | undefined;
}

/** Makes another image of one, such as a smaller one, or a JPEG of a HEIC. It must not change the bytes it gets. */
export type ImageTransform = (
  bytes: Uint8Array,
  info: ImageTransformInfo,
) => TransformResult | PromiseLike<TransformResult>;

type TransformResult = Uint8Array | ArrayBuffer | TransformedImage;

export interface TransformOptions {
  readonly signal?: AbortSignal | undefined;
  readonly maxBytes: number;
  /** Throws for an image that the API does not take. */
  readonly inspect: (bytes: Uint8Array) => Pick<ImageInfo, 'mediaType'>;
}

/**
 * The bytes that the user's transform makes of an image. They are an image that the API takes.
 *
 * @throws `DESCRIBE_IMAGE_UNREADABLE`, `DESCRIBE_IMAGE_UNSUPPORTED` or `DESCRIBE_IMAGE_TOO_LARGE` that names
 * `images.transform`: it threw (see `cause`), or its result is no such image.
 * @throws the signal's reason when it aborts, without waiting for the transform.
 */
export async function transformedBytes(
  transform: ImageTransform,
  original: Uint8Array,
  { signal, maxBytes, inspect }: TransformOptions,
): Promise<Uint8Array> {
  if (original.length === 0) throw unreadable('there are no bytes');
  const { bytes, mediaType, got } = await run(transform, original, signal);
  const isOf = 'return the bytes of an image as a Uint8Array, or `{ bytes }`';
  if (bytes === undefined) throw failed('DESCRIBE_IMAGE_UNREADABLE', `it must ${isOf}; got ${got}`);
  if (bytes.length === 0) throw failed('DESCRIBE_IMAGE_UNREADABLE', `it must ${isOf}; got no bytes`);
  if (bytes.length > maxBytes) {
    throw failed(
      'DESCRIBE_IMAGE_TOO_LARGE',
      `it must return at most maxBytes (${maxBytes} bytes); got ${bytes.length}`,
    );
  }
  const found = inspected(bytes, inspect);
  if (mediaType !== undefined && mediaType !== found.mediaType && mediaType !== OTHER_NAMES[found.mediaType]) {
    const what = `its mediaType must be that of its bytes, ${found.mediaType}; got ${describeValue(mediaType)}`;
    throw failed('DESCRIBE_IMAGE_UNREADABLE', `${what}. Leave it out, or return other bytes.`);
  }
  return bytes;
}

/** A wrong name that is common. */
const OTHER_NAMES: Readonly<Record<string, string>> = { 'image/jpeg': 'image/jpg' };

/** The usable part of what a transform returned. */
interface Returned {
  readonly bytes?: Uint8Array | undefined;
  readonly mediaType?: unknown;
  /** The kind of a value that holds no bytes. */
  readonly got: string;
}

async function run(
  transform: ImageTransform,
  original: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Returned> {
  signal?.throwIfAborted();
  const info = { ...factsOf(original), signal: signal ?? new AbortController().signal };
  try {
    const result: unknown = await raceSignal((async () => transform(original, info))(), signal);
    const bytes = asBytes(result);
    if (bytes !== undefined || typeof result !== 'object' || result === null) {
      return { bytes, got: describeKind(result) };
    }
    const { bytes: inner, mediaType } = result as Partial<TransformedImage>;
    return { bytes: asBytes(inner), mediaType, got: describeKind(result) };
  } catch (cause) {
    signal?.throwIfAborted();
    throw failed('DESCRIBE_IMAGE_UNREADABLE', 'it failed; see `cause`', cause);
  }
}

/** Where the header is damaged, the transform decides: its decoder may read more than we do. */
function factsOf(bytes: Uint8Array): Omit<ImageTransformInfo, 'signal'> {
  try {
    const { format, width, height } = inspectImage(bytes);
    return { format, width, height };
  } catch {
    return { format: unsupportedName(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) };
  }
}

function inspected(bytes: Uint8Array, inspect: TransformOptions['inspect']): Pick<ImageInfo, 'mediaType'> {
  try {
    return inspect(bytes);
  } catch (error) {
    if (!DescribeError.is(error)) throw error;
    throw failed(
      error.code as ImageErrorCode,
      `it must return an image that the API takes; got one that fails (${error.message})`,
    );
  }
}

const failed = (code: ImageErrorCode, what: string, cause?: unknown): ImageError =>
  new ImageError(code, `images.transform: ${what}`, cause === undefined ? {} : { cause });
