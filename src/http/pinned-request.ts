import type { LookupFunction, Socket } from 'node:net';
import { DescribeError, ImageError } from '../errors/index.ts';
import { onAbort } from '../internal/signals.ts';
import { ByteCollector } from './byte-collector.ts';
import { HeadCheck } from './head-check.ts';

export interface PinnedRequestOptions {
  /** Answers the connector's look-up. */
  readonly lookup: LookupFunction;
  readonly etag?: string | undefined;
  readonly maxBytes: number;
  /** Is shown the first bytes of an answer; what it throws ends the request. */
  readonly checkHead?: ((head: Uint8Array) => void) | undefined;
  /** Bound of connecting, in milliseconds; the signal bounds the whole. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface PinnedAnswer {
  readonly status: number;
  /** Where a redirect leads. */
  readonly location?: string;
  readonly etag?: string;
  /** Compressed: its bytes were not read. */
  readonly encoded: boolean;
  /** Larger than allowed: reading stopped. */
  readonly tooLarge: boolean;
  readonly chunks: readonly Uint8Array[];
  readonly byteLength: number;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Sends one GET on a connection of its own, which ends with it. */
export async function requestPinned(
  url: URL,
  { lookup, etag, maxBytes, checkHead, timeoutMs, signal }: PinnedRequestOptions,
): Promise<PinnedAnswer> {
  const { buildConnector, Client } = await import('undici');
  signal.throwIfAborted();
  const connector = buildConnector({ lookup, timeout: timeoutMs, allowH2: false });
  let socket: Socket | undefined;
  const client = new Client(url.origin, {
    // The connector hands its socket out before it is connected, so that an abort can end it at once.
    connect: (options, callback) => {
      socket = (connector as (...args: Parameters<typeof connector>) => unknown)(options, callback) as Socket;
    },
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 16_384,
  });
  // With an error: without one the connector never calls back while it connects, and undici 8.12 takes the close for the
  // end of a body that has no length, whose request it has aborted by then: an assertion that ends the process.
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
    // An answer that is left unread errors when its connection goes, with nobody listening.
    body.on('error', () => {});
    const location = REDIRECTS.has(statusCode) ? single(headers['location']) : undefined;
    const answerEtag = single(headers['etag']);
    const facts = {
      status: statusCode,
      encoded: !/^(?:|identity)$/i.test(single(headers['content-encoding']) ?? ''),
      ...(location === undefined ? {} : { location }),
      ...(answerEtag === undefined ? {} : { etag: answerEtag }),
    };
    const empty = { ...facts, chunks: [], byteLength: 0 };
    const announced = Number(single(headers['content-length']) ?? 0);
    if (statusCode > 299 || facts.encoded) return { ...empty, tooLarge: false };
    if (announced > maxBytes) return { ...empty, tooLarge: true };
    const collected = new ByteCollector();
    const head = new HeadCheck(checkHead);
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      if (collected.byteLength + chunk.length > maxBytes) return { ...empty, tooLarge: true };
      head.push(chunk);
      collected.push(chunk);
    }
    return { ...facts, tooLarge: false, chunks: collected.chunks(), byteLength: collected.byteLength };
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (DescribeError.is(cause)) throw cause;
    throw new ImageError('DESCRIBE_IMAGE_FETCH_FAILED', 'imageUrl: the download failed', {
      cause,
      retryable: true,
    });
  } finally {
    detach();
    hangUp();
    client.destroy().catch(() => {});
  }
}

const single = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);
