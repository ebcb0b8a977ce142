import { ImageError } from '../../errors/index.ts';

/** The error for bytes that are no image, or too damaged to have a size. */
export const unreadable = (what: string, options: { readonly cause?: unknown } = {}): ImageError =>
  new ImageError('DESCRIBE_IMAGE_UNREADABLE', `image: ${what}`, options);

/** The error for an image of a format `name` that the API does not take. */
export const unsupportedFormat = (name: string): ImageError =>
  new ImageError(
    'DESCRIBE_IMAGE_UNSUPPORTED',
    `image: ${name} is not supported; send PNG, JPEG, WebP or a GIF of one frame`,
  );

/** The error for an image beyond the limit of bytes; names the option. */
export const tooLarge = (field: string, maxBytes: number): ImageError =>
  new ImageError('DESCRIBE_IMAGE_TOO_LARGE', `${field}: the image has more than maxBytes (${maxBytes} bytes)`);
