import { InputError } from '../../errors/index.ts';
import { ByteCollector } from '../../http/encoding/byte-collector.ts';
import { fsPromises } from '../../internal/modules/node-modules.ts';
import { tooLarge, unreadable } from '../formats/image-errors.ts';
import { joinBytes, type ReadLimits } from './read-stream.ts';

const CHUNK_BYTES = 1024 * 1024;
/** Bytes read beyond the stated size: a file of `/proc` has the size 0, and content. */
const BEYOND_BYTES = 16 * 1024;

/**
 * Reads a regular file completely, or nothing of it if its size is above `maxBytes`.
 *
 * @throws `DESCRIBE_INPUT_INVALID` for a directory, device or pipe, `DESCRIBE_IMAGE_TOO_LARGE`, and
 * `DESCRIBE_IMAGE_UNREADABLE` with the `cause` when it cannot be opened.
 */
export async function readFile(
  path: string | URL,
  { maxBytes, field, signal, checkHead }: ReadLimits,
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const fs = fsPromises();
  const fail = (cause: unknown): never => {
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'unknown';
    const advice = code === 'ENOENT' ? '. No file has this path; a relative one starts at the working directory.' : '';
    throw unreadable(`the file can't be read (${code})${advice}`, { cause });
  };
  // Opening a pipe without a writer would block a thread for ever.
  const { size, isRegular } = await fs
    .stat(path)
    .then((stats) => ({ size: stats.size, isRegular: stats.isFile() }), fail);
  if (!isRegular) throw new InputError(field, 'must be a regular file; got a directory, a pipe or a device');
  if (size > maxBytes) throw tooLarge(field, maxBytes);
  signal?.throwIfAborted();
  const { O_RDONLY, O_NONBLOCK = 0 } = fs.constants;
  const handle = await fs.open(path, O_RDONLY | O_NONBLOCK).catch(fail);
  try {
    const collected = new ByteCollector(checkHead);
    for (;;) {
      signal?.throwIfAborted();
      // The file may grow while it is read.
      const left = size - collected.byteLength;
      const buffer = Buffer.allocUnsafeSlow(left > 0 ? Math.min(CHUNK_BYTES, left + 1) : BEYOND_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null).catch(fail);
      if (bytesRead === 0) return await joinBytes(collected.chunks(), collected.byteLength);
      if (collected.byteLength + bytesRead > maxBytes) throw tooLarge(field, maxBytes);
      collected.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close().catch(() => {});
  }
}
