import { createServer as createHttpServer, type RequestListener } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connectionFetch } from './connection-fetch.ts';
import { ConnectionCounters, HttpConnection, type HttpConnectionOptions } from './http-connection.ts';
import type { HttpRequest } from './http-message.ts';

const cleanups: (() => unknown)[] = [];

/** Ends every server and connection of a test. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

export async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

export async function open(origin: string, options: Partial<HttpConnectionOptions> = {}) {
  const counters = new ConnectionCounters();
  const connection = await HttpConnection.create({ origin, counters, ...options });
  cleanups.push(() => connection.destroy());
  const send = (request: Partial<HttpRequest> = {}) =>
    connection.send({ method: 'POST', path: '/', headers: [], body: Buffer.from('{}'), ...request });
  return { connection, counters, send, fetch: connectionFetch(connection) };
}

export async function overHttp(listener: RequestListener, options?: Partial<HttpConnectionOptions>) {
  const port = await listen(createHttpServer(listener));
  return { port, ...(await open(`http://127.0.0.1:${port}`, options)) };
}
