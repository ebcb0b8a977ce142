import type { Duplex } from 'node:stream';
import { UpstreamError } from '../../errors/index.ts';
import { stream, zlib } from '../../internal/modules/node-modules.ts';

/** Options of decoders that decode truncated data as far as it goes, as every browser and `fetch` do. */
const lenient = () => leniently(zlib().constants.Z_SYNC_FLUSH);
const lenientBrotli = () => leniently(zlib().constants.BROTLI_OPERATION_FLUSH);
const leniently = (flush: number) => ({ flush, finishFlush: flush });

/** The largest window that the coding `zstd` may ask for, 8 MB (RFC 9659). */
const MAX_ZSTD_WINDOW_LOG = 23;

const GZIP_FIRST_BYTE = 0x1f;
const ZLIB_METHOD = 8;

/**
 * Codings that compress (RFC 9110, section 8.4.1; RFC 9659), by name. `undefined` stands for a body that is not
 * compressed in spite of its header: a gateway decompressed it.
 */
const DECODERS: Readonly<Record<string, (firstByte: number) => Duplex | undefined>> = {
  gzip: (firstByte) => (firstByte === GZIP_FIRST_BYTE ? zlib().createGunzip(lenient()) : undefined),
  // Some servers send it without the header that zlib puts before it.
  deflate: (firstByte) =>
    (firstByte & 0x0f) === ZLIB_METHOD ? zlib().createInflate(lenient()) : zlib().createInflateRaw(lenient()),
  br: () => zlib().createBrotliDecompress(lenientBrotli()),
  zstd: () => createZstd(),
};

/** The same names, as older servers write them. */
const ALIASES: Readonly<Record<string, string>> = { 'x-gzip': 'gzip' };

/** More codings than any server means. Each may multiply the work of the one before. */
const MAX_CODINGS = 5;

/**
 * The codings to undo, the last one applied first. Names without a compression are ignored: `identity`, and names that
 * S3 stores with an upload, such as `aws-chunked` or `utf-8`.
 */
export function contentCodings(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  const names = (typeof value === 'string' ? value : value.join(',')).toLowerCase().split(',');
  const known = names.map((name) => ALIASES[name.trim()] ?? name.trim());
  return known.filter((name) => Object.hasOwn(DECODERS, name)).reverse();
}

/** Removes the codings of a body: bytes that are written to `input` are read decoded from `output`. */
export interface Decoding {
  readonly input: Duplex;
  readonly output: Duplex;
  /** Ends all work. */
  destroy(): void;
}

/** Undoes codings one after the other. `output` fails with `DESCRIBE_RESPONSE_INVALID` when it can't be decoded. */
export function startDecoding(codings: readonly string[]): Decoding {
  const stages = codings.map(decodingStage);
  const input = stages[0] ?? decodingStage('identity');
  const output = stages.slice(1).reduce((from, to) => {
    from.on('error', (error) => to.destroy(error));
    return from.pipe(to);
  }, input);
  if (codings.length > MAX_CODINGS) {
    const error = undecodable(`it names more than ${MAX_CODINGS} encodings`);
    process.nextTick(() => input.destroy(error));
  }
  return {
    input,
    output,
    destroy: () => {
      for (const stage of stages) stage.on('error', () => {}).destroy();
    },
  };
}

/** Decodes one coding. Its decoder is made at the first byte: an answer without a body has nothing to decode. */
function decodingStage(coding: string): Duplex {
  const { Transform } = stream();
  let decoder: Duplex | undefined;
  let isStarted = false;
  const start = (firstByte: number) => {
    isStarted = true;
    const made = DECODERS[coding]?.(firstByte);
    decoder = made;
    made?.on('data', (chunk: Buffer) => {
      if (!stage.push(chunk)) made.pause();
    });
    made?.on('error', (cause) => stage.destroy(undecodable(`it is not ${coding}`, cause)));
  };
  const stage = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      try {
        if (!isStarted && chunk.length > 0) start(chunk[0] ?? 0);
      } catch (error) {
        callback(error as Error);
        return;
      }
      if (decoder === undefined) callback(null, chunk);
      else decoder.write(chunk, () => callback());
    },
    flush(callback) {
      if (decoder === undefined) callback();
      else decoder.once('end', callback).end();
    },
    read(size) {
      decoder?.resume();
      Transform.prototype._read.call(this, size);
    },
    destroy(error, callback) {
      decoder?.destroy();
      callback(error);
    },
  });
  return stage;
}

function createZstd(): Duplex {
  const { constants, createZstdDecompress } = zlib();
  // Node 20 has no zstd.
  if ((createZstdDecompress as unknown) === undefined) throw undecodable('this version of Node does not know zstd');
  return createZstdDecompress({
    params: { [constants.ZSTD_d_windowLogMax]: MAX_ZSTD_WINDOW_LOG },
  });
}

const undecodable = (why: string, cause?: unknown): UpstreamError =>
  new UpstreamError('DESCRIBE_RESPONSE_INVALID', `the answer can't be decompressed: ${why}`, { cause });
