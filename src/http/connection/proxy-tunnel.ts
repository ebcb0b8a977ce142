import type { Socket } from 'node:net';
import { UpstreamError } from '../../errors/index.ts';
import type { ProxyAddress } from './proxy.ts';

export interface TunnelOptions {
  readonly proxy: ProxyAddress;
  /** Host and port that the tunnel leads to. */
  readonly authority: string;
  /** Authorities to trust, for a proxy that is itself reached over TLS. */
  readonly ca?: string | string[] | undefined;
  /** Called with the socket before it is connected. */
  readonly onSocket: (socket: Socket) => void;
}

/**
 * Opens a tunnel through an HTTP proxy (RFC 9110, section 9.3.6).
 * @throws `DESCRIBE_UPSTREAM` with the proxy's status where it refuses, or the socket's own error.
 */
export async function openTunnel({ proxy, authority, ca, onSocket }: TunnelOptions): Promise<Socket> {
  const { request } = proxy.url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  return new Promise((resolve, reject) => {
    const connecting = request({
      host: proxy.host,
      port: proxy.port,
      method: 'CONNECT',
      path: authority,
      agent: false,
      headers: {
        host: authority,
        connection: 'keep-alive',
        'proxy-connection': 'keep-alive',
        ...proxy.headers,
      },
      ...(ca !== undefined && { ca }),
    });
    connecting.once('socket', onSocket);
    connecting.once('error', reject);
    connecting.once('connect', ({ statusCode = 0 }, socket: Socket, head: Buffer) => {
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        reject(refusedTunnel(statusCode));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    connecting.end();
  });
}

/** Statuses of a passing failure. Any other means that this proxy will never let the client through. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

function refusedTunnel(status: number): UpstreamError {
  const advice = status === 407 ? ': it wants credentials, as in http://user:password@proxy' : '';
  return new UpstreamError('DESCRIBE_UPSTREAM', `the proxy refused the tunnel with status ${status}${advice}`, {
    retryable: PASSING.has(status),
  });
}
