import { type Duplex, Transform, type TransformCallback } from 'node:stream';
import { UpstreamError } from '../../errors/index.ts';
import { zlib } from '../../internal/modules/node-modules.ts';

/** Options of decoders, with which truncated data gives what it holds, as in every browser and in `fetch`. */
const lenient = () => leniently(zlib().constants.Z_SYNC_FLUSH);
const lenientBrotli = () => leniently(zlib().constants.BROTLI_OPERATION_FLUSH);
const leniently = (flush: number) => ({ flush, finishFlush: flush });

/** The largest window that the coding `zstd` may ask for, 8 MB (RFC 9659). */
const MAX_ZSTD_WINDOW_LOG = 23;

const GZIP_FIRST_BYTE = 0x1f;
const ZLIB_METHOD = 8;

/**
 * Codings that compress (RFC 9110, section 8.4.1; RFC 9659), by name. `undefined` is a body that is not compressed, in
 * spite of its header: a gateway decompressed it.
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

/** More than any server means; each may multiply the work of the one before. */
const MAX_CODINGS = 5;

/**
 * The codings to undo, the last one applied first. Names that say nothing of compression are none: `identity`, and what
 * S3 stores of an upload, such as `aws-chunked` or `utf-8`.
 */
export function contentCodings(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  const names = (typeof value === 'string' ? value : value.join(',')).toLowerCase().split(',');
  const known = names.map((name) => ALIASES[name.trim()] ?? name.trim());
  return known.filter((name) => Object.hasOwn(DECODERS, name)).reverse();
}

/** A body without its codings: what is written to `input` comes decoded out of `output`. */
export interface Decoding {
  readonly input: Duplex;
  readonly output: Duplex;
  /** Ends all work. */
  destroy(): void;
}

/** Undoes codings one after the other. `output` fails with `DESCRIBE_RESPONSE_INVALID` for what can't be decoded. */
export function startDecoding(codings: readonly string[]): Decoding {
  const stages = codings.map((coding) => new DecodingStage(coding));
  const input = stages[0] ?? new DecodingStage('identity');
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
class DecodingStage extends Transform {
  readonly #coding: string;
  #decoder: Duplex | undefined;
  #started = false;

  constructor(coding: string) {
    super();
    this.#coding = coding;
  }

  override _transform(chunk: Buffer, _encoding: string, callback: TransformCallback): void {
    try {
      if (!this.#started && chunk.length > 0) this.#start(chunk[0] ?? 0);
    } catch (error) {
      callback(error as Error);
      return;
    }
    if (this.#decoder === undefined) callback(null, chunk);
    else this.#decoder.write(chunk, () => callback());
  }

  override _flush(callback: TransformCallback): void {
    if (this.#decoder === undefined) callback();
    else this.#decoder.once('end', callback).end();
  }

  override _read(size: number): void {
    this.#decoder?.resume();
    super._read(size);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#decoder?.destroy();
    callback(error);
  }

  #start(firstByte: number): void {
    this.#started = true;
    const decoder = DECODERS[this.#coding]?.(firstByte);
    this.#decoder = decoder;
    decoder?.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) decoder.pause();
    });
    decoder?.on('error', (cause) => this.destroy(undecodable(`it is not ${this.#coding}`, cause)));
  }
}

function createZstd(): Duplex {
  const { constants, createZstdDecompress } = zlib();
  // Node 20 has none.
  if ((createZstdDecompress as unknown) === undefined) throw undecodable('this version of Node does not know zstd');
  return createZstdDecompress({
    params: { [constants.ZSTD_d_windowLogMax]: MAX_ZSTD_WINDOW_LOG },
  });
}

const undecodable = (why: string, cause?: unknown): UpstreamError =>
  new UpstreamError('DESCRIBE_RESPONSE_INVALID', `the answer can't be decompressed: ${why}`, { cause });
