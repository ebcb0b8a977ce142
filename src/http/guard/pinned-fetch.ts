import type { LookupFunction } from 'node:net';
import { DescribeError, ImageError, TimeoutError } from '../../errors/index.ts';
import { childController, raceSignal } from '../../internal/async/signals.ts';
import { canonicalUrl } from '../../internal/canonical-url.ts';
import { type Clock, systemClock } from '../../internal/clock.ts';
import { dnsPromises } from '../../internal/modules/node-modules.ts';
import { forbidden } from './address-guard.ts';
import { parseAddress } from './ip-address.ts';
import { type CollectedBytes, type PinnedAnswer, requestPinned } from './pinned-request.ts';
import { hostOf } from './private-host.ts';

/** Decides about addresses, as `AddressGuard` does. Both methods throw to forbid. */
export interface AddressCheck {
  checkUrl(url: string | URL, field?: string): URL;
  checkAddress(host: string, address: string, field?: string): void;
}

/** Looks a host name up: every address it has. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

export interface PinnedFetchOptions {
  readonly guard: AddressCheck;
  /** Most bytes of an answer. @defaultValue 20_000_000 */
  readonly maxBytes?: number | undefined;
  /** Most redirects that are followed; each is checked like the first address. @defaultValue 3 */
  readonly maxRedirects?: number | undefined;
  /** Most milliseconds for everything, from the first look-up to the last byte. @defaultValue 15_000 */
  readonly fetchTimeoutMs?: number | undefined;
  /** Gets the first bytes of an answer as soon as they arrive. A DescribeError that it throws ends the download. */
  readonly checkHead?: ((head: Uint8Array) => void) | undefined;
  /** @defaultValue the system's resolver */
  readonly resolveHost?: ResolveHost | undefined;
  readonly clock?: Clock | undefined;
}

export interface PinnedFetchRequest {
  readonly signal?: AbortSignal | undefined;
  /** ETag of the known version. An unchanged answer is returned as `undefined`. */
  readonly etag?: string | undefined;
  /** The `etagUrl` that came with the ETag, which is sent only to that URL. @defaultValue the URL itself */
  readonly etagUrl?: string | undefined;
}

/** The answer of an address. */
interface FetchedBytes extends CollectedBytes {
  readonly etag?: string;
  /** Canonical form of the URL behind all redirects, to which the ETag belongs. */
  readonly etagUrl?: string;
}

export type PinnedFetch = (url: string | URL, request?: PinnedFetchRequest) => Promise<FetchedBytes | undefined>;

const DEFAULTS = { maxBytes: 20_000_000, maxRedirects: 3, fetchTimeoutMs: 15_000 } as const;

const FIELD = 'imageUrl';

const failed = (what: string, options: { readonly cause?: unknown; readonly retryable?: boolean } = {}) =>
  new ImageError('DESCRIBE_IMAGE_FETCH_FAILED', `${FIELD}: ${what}`, options);

/**
 * Makes a GET for URLs that strangers chose. Each name is resolved once and all its addresses are checked. The
 * connection goes to one of these addresses, so that a second answer of its DNS server changes nothing. Redirects are
 * checked in the same way. Compressed and decompressed size, time and redirects are limited. Proxies are not used: a
 * proxy would resolve the name again.
 */
export function createPinnedFetch(options: PinnedFetchOptions): PinnedFetch {
  const { guard, checkHead, clock = systemClock, resolveHost = resolveBySystem } = options;
  const { maxBytes = DEFAULTS.maxBytes, maxRedirects = DEFAULTS.maxRedirects } = options;
  const { fetchTimeoutMs = DEFAULTS.fetchTimeoutMs } = options;

  const pin = async (url: URL, signal: AbortSignal): Promise<readonly string[]> => {
    const host = hostOf(url);
    const addresses = parseAddress(host) === undefined ? await lookUp(resolveHost, host, signal) : [host];
    // One forbidden address forbids the name, because the connection may use any of its addresses.
    for (const address of addresses) guard.checkAddress(host, address, FIELD);
    return addresses;
  };

  const follow = async (start: URL, known: KnownVersion, signal: AbortSignal): Promise<FinalAnswer> => {
    let url = start;
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const addresses = await pin(url, signal).catch((error: unknown): never => {
        throw redirects === 0 ? error : redirectError(error);
      });
      const etagUrl = canonicalUrl(url);
      // Another resource may have the same ETag, such as "1" behind a redirect that now leads elsewhere.
      const etag = etagUrl === known.etagUrl ? known.etag : undefined;
      const answer = await requestPinned(url, {
        lookup: lookupOf(addresses),
        etag,
        maxBytes,
        checkHead,
        timeoutMs: fetchTimeoutMs,
        signal,
      });
      if (answer.location === undefined) return { ...answer, etagUrl, asked: etag !== undefined };
      if (!URL.canParse(answer.location, url.href)) throw failed('redirected to something that is no URL');
      url = checkRedirect(guard, new URL(answer.location, url));
    }
    throw failed(`redirected more than maxRedirects (${maxRedirects}) times`);
  };

  return async (address, { signal, etag, etagUrl } = {}) => {
    signal?.throwIfAborted();
    const url = guard.checkUrl(address, FIELD);
    const timed = childController(signal);
    const timer = clock.setTimeout(() => {
      timed.abort(new TimeoutError('downloading the image (fetchTimeoutMs)', fetchTimeoutMs));
    }, fetchTimeoutMs);
    try {
      const known = { etag, etagUrl: etagUrl ?? canonicalUrl(url) };
      return toBytes(await raceSignal(follow(url, known, timed.signal), timed.signal), maxBytes);
    } catch (error) {
      // The caller gets the reason of the abort, and not its effect on the connection.
      timed.signal.throwIfAborted();
      throw error;
    } finally {
      clock.clearTimeout(timer);
      timed.detach();
    }
  };
}

/** The version that the caller has already. */
interface KnownVersion {
  readonly etag: string | undefined;
  readonly etagUrl: string;
}

interface FinalAnswer extends PinnedAnswer {
  readonly etagUrl: string;
  /** Whether the request had an ETag. */
  readonly asked: boolean;
}

function checkRedirect(guard: AddressCheck, target: URL): URL {
  try {
    return guard.checkUrl(target, FIELD);
  } catch (error) {
    throw redirectError(error);
  }
}

/** Hides the target of a redirect: the caller did not choose it. */
const redirectError = (error: unknown): unknown =>
  DescribeError.is(error, 'DESCRIBE_INPUT_INVALID') || DescribeError.is(error, 'DESCRIBE_IMAGE_FORBIDDEN')
    ? forbidden(FIELD)
    : error;

const NOT_MODIFIED = 304;

function toBytes(answer: FinalAnswer, maxBytes: number): FetchedBytes | undefined {
  const { status, body, etag, etagUrl, asked } = answer;
  if (status === NOT_MODIFIED && asked) return undefined;
  if (status < 200 || status > 299) {
    throw failed(`the host answered with status ${status}`, { retryable: status >= 500 || status === 429 });
  }
  if (body === undefined) {
    throw new ImageError('DESCRIBE_IMAGE_TOO_LARGE', `${FIELD}: the image has more than maxBytes (${maxBytes} bytes)`);
  }
  return { ...body, ...(etag !== undefined && STRONG_ETAG.test(etag) ? { etag, etagUrl } : {}) };
}

/**
 * A tag of these very bytes (RFC 9110, 8.8.3). The bytes of a weak tag may change. `*` and lists mean several versions.
 * A longer tag is too large to store for thousands of URLs.
 */
const STRONG_ETAG = /^"[\x21\x23-\x7e]{0,256}"$/;

const resolveBySystem: ResolveHost = async (host) =>
  (await dnsPromises().lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

async function lookUp(resolve: ResolveHost, host: string, signal: AbortSignal): Promise<readonly string[]> {
  const looking = (async () => resolve(host))();
  const addresses = await raceSignal(looking, signal).catch((cause: unknown): never => {
    signal.throwIfAborted();
    throw failed('its host was not found', { cause, retryable: true });
  });
  if (addresses.length === 0) throw failed('its host was not found', { retryable: true });
  return addresses;
}

/** A look-up for the connector that only ever answers with these addresses. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (_host, { all: wantsAll }, callback) => {
    const [first] = all;
    if (wantsAll === true) callback(null, all);
    else callback(null, first?.address ?? '', first?.family ?? 0);
  };
}
