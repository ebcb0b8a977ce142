import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
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
  /** Is handed every socket, before it is connected; those to a proxy are not. */
  readonly onSocket: (socket: Socket) => void;
}

/**
 * Makes an undici dispatcher that keeps one HTTP/1.1 connection to one origin, opened by its first request. undici's
 * own deadlines are off: they can't be told per call, and 300 s beat every longer deadline of a caller
 * (openai-node #2153).
 */
export async function createDispatcher({
  origin,
  connectTimeoutMs,
  keepAliveMs,
  proxy,
  tls,
  onSocket,
}: DispatcherOptions): Promise<Dispatcher> {
  const { buildConnector, Client, ProxyAgent } = await import('undici');
  const common = {
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
  } as const;
  const secure = tlsSettings(tls);
  if (proxy === undefined) {
    const connector = buildConnector({ ...secure, allowH2: false, timeout: connectTimeoutMs });
    return new Client(origin, {
      ...common,
      connect: (...args) => onSocket((connector as (...given: typeof args) => unknown)(...args) as Socket),
    });
  }
  const agent: Dispatcher = new ProxyAgent({
    ...common,
    uri: proxy,
    // undici 8 passes these options on to a tunnel's client but not to a forwarding one, and tells of the sockets of
    // neither.
    factory: (target, given) => {
      const client = new Client(target, { ...given, ...common });
      client.on('connect', (...told) => agent.emit('connect', ...told));
      client.on('disconnect', (...told) => agent.emit('disconnect', ...told));
      return client;
    },
    connections: 1,
    connectTimeout: connectTimeoutMs,
    requestTls: { ...secure, timeout: connectTimeoutMs },
  });
  return agent;
}

function tlsSettings({ ca, cert, key, passphrase, servername, rejectUnauthorized }: TlsOptions = {}) {
  return {
    ...(ca !== undefined && { ca: typeof ca === 'string' ? ca : [...ca] }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && { passphrase }),
    ...(servername !== undefined && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  };
}
