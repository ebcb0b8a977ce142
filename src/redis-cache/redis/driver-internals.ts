import { Duplex } from 'node:stream';
import type { RedisClientLike } from './redis-client.ts';

// What ioredis 5 and 6 have no way to ask for: internals of theirs, each pinned by a test.

/** Lets the process end while this timer or socket waits. */
export function unref(holder: object, name: 'stream' | 'reconnectTimeout' | 'slotsTimer'): void {
  const held: unknown = Reflect.get(holder, name);
  if (typeof held === 'object' && held !== null && 'unref' in held && typeof held.unref === 'function') held.unref();
}

/** A Cluster asks a node for its slots by a duplicate, and tells nobody why that could not connect. */
export function hearDuplicates(node: RedisClientLike, onError: (error: unknown) => void): void {
  const duplicate = node.duplicate as (...args: unknown[]) => RedisClientLike;
  const hearing = (...args: unknown[]) => {
    const made = duplicate.apply(node, args);
    made.on('error', onError);
    return made;
  };
  Object.assign(node, { duplicate: hearing });
}

/** The database that a client is on, or believes to be on: ioredis goes on where it was refused. */
export function selectedDb(client: RedisClientLike): number {
  const { condition } = client as { condition?: { select?: unknown } | null };
  return typeof condition?.select === 'number' ? condition.select : 0;
}

/** Cuts the connection, whatever is arriving on it. */
export function dropStream(client: RedisClientLike): void {
  const stream: unknown = Reflect.get(client, 'stream');
  if (stream instanceof Duplex) stream.destroy();
}

/**
 * Disconnects for good. ioredis hears only the first error of a stream, and a TLS handshake that is cut short tells two
 * when the certificate is refused: an unheard one would end the process.
 */
export function disconnectForGood(client: RedisClientLike): void {
  const stream: unknown = Reflect.get(client, 'stream');
  if (stream instanceof Duplex) stream.on('error', () => {});
  client.disconnect();
}

/**
 * The connection by which a Cluster hears messages: to a node of its choice, changed without a word when it is lost.
 */
export function clusterListener(client: RedisClientLike): RedisClientLike | undefined {
  const { subscriber } = client as { subscriber?: { getInstance?(): RedisClientLike | null } };
  return client.isCluster ? (subscriber?.getInstance?.() ?? undefined) : undefined;
}
