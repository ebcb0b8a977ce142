import { crc32, deflateSync } from 'node:zlib';
import { ConfigError } from '../../errors/config-error.ts';
import { integer, shape } from '../../internal/options/option-checks.ts';

/** The form of a test image. */
export interface TestImageOptions {
  /**
   * A whole number; images of different seeds have different bytes, the same seed gives the same bytes.
   * @defaultValue 0
   */
  readonly seed?: number;
  /** Pixels, 1 to 16384. @defaultValue 8 */
  readonly width?: number;
  /** Pixels, 1 to 16384. @defaultValue 8 */
  readonly height?: number;
  /**
   * Size of the file in bytes, up to 52428800 (50 MiB). What the picture does not fill stands in a chunk that decoders
   * skip. @defaultValue what the picture takes
   */
  readonly fileBytes?: number;
}

const DEFAULTS = { seed: 0, width: 8, height: 8 } as const satisfies TestImageOptions;

const MAX_SIDE_PX = 16_384;
const MAX_FILE_BYTES = 50 * 2 ** 20;
/** Length, type and checksum of a chunk. */
const CHUNK_FRAME_BYTES = 12;

/** Made once: a test makes images by the thousand. */
const checkTestImageOptions = shape({
  seed: integer(),
  width: integer({ min: 1, max: MAX_SIDE_PX }),
  height: integer({ min: 1, max: MAX_SIDE_PX }),
  fileBytes: integer({ min: 1, max: MAX_FILE_BYTES }),
});

/**
 * Makes a decodable PNG of one grey tone. The seed stands in a text chunk, so that images of different seeds differ in
 * their bytes.
 *
 * @throws ConfigError `DESCRIBE_CONFIG_INVALID` for wrong options
 *
 * @example
 * ```ts
 * import { createTestImage } from '@describe-it/sdk/testing';
 *
 * const images = Array.from({ length: 1000 }, (_, seed) => createTestImage({ seed }));
 * ```
 */
export function createTestImage(options: TestImageOptions = {}): Buffer {
  const issues = checkTestImageOptions(options, '');
  if (issues.length > 0) throw new ConfigError('createTestImage', issues);
  const { seed = DEFAULTS.seed, width = DEFAULTS.width, height = DEFAULTS.height, fileBytes } = options;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8; // bits a sample; colour type 0 (grey), no interlace
  const row = Buffer.alloc(1 + width, Math.abs(Math.trunc(seed)) % 256);
  row[0] = 0; // filter: none
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  const parts = [
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('tEXt', Buffer.from(`Comment\0seed ${seed}`, 'latin1')),
    chunk('IDAT', deflateSync(rows)),
  ];
  const end = chunk('IEND', Buffer.alloc(0));
  if (fileBytes === undefined) return Buffer.concat([...parts, end]);
  const free = fileBytes - parts.reduce((sum, part) => sum + part.length, 0) - end.length - CHUNK_FRAME_BYTES;
  if (free < 0) {
    const expected = `at least ${fileBytes - free} bytes, which this picture takes`;
    throw new ConfigError('createTestImage', [{ option: 'fileBytes', expected, got: String(fileBytes) }]);
  }
  return Buffer.concat([...parts, chunk('prVt', Buffer.alloc(free)), end]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
