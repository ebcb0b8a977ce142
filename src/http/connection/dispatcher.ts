import type { Socket } from 'node:net';
import type { buildConnector, Dispatcher } from 'undici';
import { durationText } from '../../errors/duration-text.ts';
import type { Clock } from '../../internal/clock.ts';
import { importAgain } from '../../internal/modules/import-again.ts';
import { definedOf } from '../../internal/options/defined-of.ts';
import { type ProxyAddress, proxyAddress } from './proxy.ts';
import { openTunnel } from './proxy-tunnel.ts';
import type { TlsOptions } from './tls-options.ts';

export interface DispatcherOptions {
  /** Scheme, host and port that every request goes to. */
  readonly origin: string;
  readonly connectTimeoutMs: number;
  /** How long an idle socket is kept, in milliseconds, unless the server announces a shorter time. */
  readonly keepAliveMs: number;
  /** URL of an HTTP proxy. */
  readonly proxy?: string | undefined;
  readonly tls?: TlsOptions | undefined;
  readonly clock: Clock;
  /** Called with every socket, before it is connected. */
  readonly onSocket: (socket: Socket) => void;
}

/** The dispatcher of requests, and what a proxy needs in each of them. */
export interface Route {
  readonly dispatcher: Dispatcher;
  /** Prefix of every path: the origin, where a proxy forwards (RFC 9112, section 3.2.2). */
  readonly pathPrefix: string;
  /** Names and values alternating. */
  readonly headers: readonly string[];
}

/** The time that a server announces for idle sockets is shortened by this margin. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

type Connector = buildConnector.connector;

/**
 * Makes an undici dispatcher that keeps one HTTP/1.1 connection to one origin, opened by its first request. undici's
 * own timeouts are off. They cannot be set per call, and 300 s would end a call with a longer timeout (openai-node
 * #2153). A proxy forwards plain HTTP and tunnels TLS. undici's own agents are not used, because they differ between
 * versions, and report a refused tunnel as an abort.
 */
export async function createRoute(options: DispatcherOptions): Promise<Route> {
  const { origin, connectTimeoutMs, keepAliveMs, tls, onSocket } = options;
  const { buildConnector, Client, errors } = await importAgain('undici', () => import('undici'));
  const connector = buildConnector({ ...tlsSettings(tls), allowH2: false, timeout: connectTimeoutMs });
  const clientTo = (target: string, connect: Connector) =>
    new Client(target, {
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      connect,
    });
  /** The connector returns its socket at once, which its types do not say. */
  const open = (...given: Parameters<Connector>) =>
    onSocket((connector as (...args: typeof given) => unknown)(...given) as Socket);
  const proxy = options.proxy === undefined ? undefined : proxyAddress(options.proxy);
  if (proxy === undefined) return { dispatcher: clientTo(origin, open), pathPrefix: '', headers: [] };
  const { host, protocol } = new URL(origin);
  if (protocol === 'http:') {
    const dispatcher = clientTo(proxy.url.origin, (target, callback) =>
      // The name to check is the proxy's, not that of the Host header.
      open({ ...target, servername: '' }, callback),
    );
    return {
      dispatcher,
      pathPrefix: origin,
      headers: ['host', host, ...Object.entries(proxy.headers).flat()],
    };
  }
  const dispatcher = clientTo(origin, (target, callback) => {
    const { port, hostname } = target;
    const authority = `${hostname}:${port || 443}`;
    const startTls = (httpSocket: Socket, done: typeof callback) => open({ ...target, httpSocket }, done);
    const timedOut = (message: string) => new errors.ConnectTimeoutError(message);
    connectThrough({ ...options, proxy, authority, startTls, timedOut }, callback);
  });
  return { dispatcher, pathPrefix: '', headers: [] };
}

interface ThroughProxy extends Omit<DispatcherOptions, 'proxy'> {
  readonly proxy: ProxyAddress;
  readonly authority: string;
  readonly startTls: (socket: Socket, callback: buildConnector.Callback) => void;
  readonly timedOut: (message: string) => Error;
}

/** Opens a tunnel and TLS in it, within `connectTimeoutMs` together. */
function connectThrough(
  { proxy, authority, startTls, timedOut, clock, connectTimeoutMs, tls, onSocket }: ThroughProxy,
  callback: buildConnector.Callback,
): void {
  let current: Socket | undefined;
  let isSettled = false;
  const settle: buildConnector.Callback = (...outcome) => {
    if (isSettled) return;
    isSettled = true;
    clock.clearTimeout(timer);
    callback(...outcome);
  };
  const timer = clock.setTimeout(() => {
    const error = timedOut(
      `no connection through the proxy within ${durationText(connectTimeoutMs)} (connectTimeoutMs)`,
    );
    settle(error, null);
    current?.destroy(error);
  }, connectTimeoutMs);
  const ca = tlsSettings(tls).ca;
  openTunnel({
    proxy,
    authority,
    ca,
    onSocket: (socket) => {
      current = socket;
      onSocket(socket);
    },
  }).then(
    (socket) => {
      if (isSettled) socket.destroy();
      else startTls(socket, settle);
    },
    (error: Error) => settle(error, null),
  );
}

const tlsSettings = ({ ca, cert, key, passphrase, servername, rejectUnauthorized }: TlsOptions = {}) =>
  definedOf({
    ca: ca === undefined || typeof ca === 'string' ? ca : [...ca],
    cert,
    key,
    passphrase,
    servername,
    rejectUnauthorized,
  });
