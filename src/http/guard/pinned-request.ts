import type { LookupFunction, Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { DescribeError, ImageError } from '../../errors/index.ts';
import { onAbort } from '../../internal/async/signals.ts';
import { importAgain } from '../../internal/modules/import-again.ts';
import { ByteCollector } from '../encoding/byte-collector.ts';
import { contentCodings, startDecoding } from '../encoding/content-coding.ts';

export interface PinnedRequestOptions {
  /** The look-up of the connector. */
  readonly lookup: LookupFunction;
  readonly etag?: string | undefined;
  readonly maxBytes: number;
  /** Gets the first bytes of an answer. An error that it throws ends the request. */
  readonly checkHead?: ((head: Uint8Array) => void) | undefined;
  /** Timeout of connecting, in milliseconds; the signal ends the whole request. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface PinnedAnswer {
  readonly status: number;
  /** Target of a redirect. */
  readonly location: string | undefined;
  readonly etag: string | undefined;
  /** Absent without a status of success, and where it is larger than allowed. */
  readonly body: CollectedBytes | undefined;
}

export interface CollectedBytes {
  readonly chunks: readonly Uint8Array[];
  readonly byteLength: number;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Sends one GET on a connection of its own, which is closed afterwards. */
export async function requestPinned(
  url: URL,
  { lookup, etag, maxBytes, checkHead, timeoutMs, signal }: PinnedRequestOptions,
): Promise<PinnedAnswer> {
  const { buildConnector, Client } = await importAgain('undici', () => import('undici'));
  signal.throwIfAborted();
  const connector = buildConnector({ lookup, timeout: timeoutMs, allowH2: false });
  let socket: Socket | undefined;
  const client = new Client(url.origin, {
    // The connector returns its socket before it is connected, so that an abort can close it at once.
    connect: (options, callback) => {
      socket = (connector as (...args: Parameters<typeof connector>) => unknown)(options, callback) as Socket;
    },
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 16_384,
  });
  // Destroyed with an error, because otherwise the connector never calls back while it connects. Also, undici 8.12
  // would take the close for the end of a body without a length, whose request is aborted already: an assertion ends
  // the process.
  const hangUp = () => socket?.destroy(new Error('the download has ended'));
  const detach = onAbort(signal, hangUp);
  try {
    const { statusCode, headers, body } = await client.request({
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: {
        accept: 'image/png,image/jpeg,image/webp,image/gif',
        'accept-encoding': 'identity',
        'user-agent': 'describe-it-sdk',
        ...(etag === undefined ? {} : { 'if-none-match': etag }),
      },
      signal,
    });
    // An unread answer emits an error when its connection closes, and needs a listener.
    body.on('error', () => {});
    const isRead = statusCode < 300 && Number(single(headers['content-length']) ?? 0) <= maxBytes;
    const codings = contentCodings(headers['content-encoding']);
    return {
      status: statusCode,
      location: REDIRECTS.has(statusCode) ? single(headers['location']) : undefined,
      etag: single(headers['etag']),
      body: isRead ? await readBody(body, { codings, maxBytes, checkHead }) : undefined,
    };
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    const isUndecodable = DescribeError.is(cause, 'DESCRIBE_RESPONSE_INVALID');
    if (DescribeError.is(cause) && !isUndecodable) throw cause;
    throw new ImageError('DESCRIBE_IMAGE_FETCH_FAILED', 'imageUrl: the download failed', {
      cause,
      retryable: !isUndecodable,
    });
  } finally {
    detach();
    hangUp();
    client.destroy().catch(() => {});
  }
}

interface ReadOptions extends Pick<PinnedRequestOptions, 'maxBytes' | 'checkHead'> {
  readonly codings: readonly string[];
}

/** The decoded bytes; `undefined` when they, or the received ones, are more than `maxBytes`. */
async function readBody(
  body: Readable,
  { codings, maxBytes, checkHead }: ReadOptions,
): Promise<CollectedBytes | undefined> {
  const collected = new ByteCollector(checkHead);
  const decoding = codings.length === 0 ? undefined : startDecoding(codings);
  let encodedBytes = 0;
  if (decoding !== undefined) {
    const { input } = decoding;
    body.on('data', (chunk: Uint8Array) => {
      encodedBytes += chunk.length;
      if (encodedBytes > maxBytes) input.destroy(new Error('too large'));
    });
    body.on('error', (error) => input.destroy(error)).pipe(input);
  }
  try {
    for await (const chunk of (decoding?.output ?? body) as AsyncIterable<Uint8Array>) {
      if (collected.byteLength + chunk.length > maxBytes) return undefined;
      collected.push(chunk);
    }
  } catch (error) {
    if (encodedBytes > maxBytes) return undefined;
    throw error;
  } finally {
    decoding?.destroy();
  }
  return { chunks: collected.chunks(), byteLength: collected.byteLength };
}

const single = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);
