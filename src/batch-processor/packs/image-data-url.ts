import { ImageError } from '../../errors/image-error.ts';

/** Tests on the first bytes, as Latin-1 text, for the formats that the API accepts. */
const FORMATS: readonly (readonly [string, (head: string) => boolean])[] = [
  ['image/png', (head) => head.startsWith('\x89PNG\r\n\x1a\n')],
  ['image/jpeg', (head) => head.startsWith('\xff\xd8\xff')],
  ['image/gif', (head) => head.startsWith('GIF87a') || head.startsWith('GIF89a')],
  ['image/webp', (head) => head.startsWith('RIFF') && head.startsWith('WEBP', 8)],
];

/**
 * Media type of an image by its first bytes.
 * @throws `DESCRIBE_IMAGE_UNSUPPORTED` when the API does not accept the format.
 */
export function mediaTypeOf(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  const found = FORMATS.find(([, matches]) => matches(head));
  if (found !== undefined) return found[0];
  throw new ImageError('DESCRIBE_IMAGE_UNSUPPORTED', 'the image is not a PNG, JPEG, WEBP or GIF');
}

/** Number of characters of the data URL for this many bytes. */
export const dataUrlLength = (byteLength: number): number => 24 + Math.ceil(byteLength / 3) * 4;
