import { Duplex } from 'node:stream';
import type { RedisClientLike } from './redis-client.ts';

// Internals of ioredis 5 and 6, which has no other way for these; a test pins each of them.

/** Lets the process end while this timer or socket waits. */
export function unref(holder: object, name: 'stream' | 'reconnectTimeout' | 'slotsTimer'): void {
  const held: unknown = Reflect.get(holder, name);
  if (typeof held === 'object' && held !== null && 'unref' in held && typeof held.unref === 'function') held.unref();
}

/**
 * A Cluster asks a node for its slots through a duplicate client, and does not report why that one could not connect.
 */
export function hearDuplicates(node: RedisClientLike, onError: (error: unknown) => void): void {
  const duplicate = node.duplicate as (...args: unknown[]) => RedisClientLike;
  const hearing = (...args: unknown[]) => {
    const made = duplicate.apply(node, args);
    made.on('error', onError);
    return made;
  };
  Object.assign(node, { duplicate: hearing });
}

/** The database that a client selected. ioredis goes on even where the server refused it. */
export function selectedDb(client: RedisClientLike): number {
  const { condition } = client as { condition?: { select?: unknown } | null };
  return typeof condition?.select === 'number' ? condition.select : 0;
}

/** Cuts the connection, even while data arrives on it. */
export function dropStream(client: RedisClientLike): void {
  const stream: unknown = Reflect.get(client, 'stream');
  if (stream instanceof Duplex) stream.destroy();
}

/**
 * Disconnects for good. A TLS handshake that is cut off with a refused certificate has two errors. ioredis does not
 * listen to the second one, which would end the process.
 */
export function disconnectForGood(client: RedisClientLike): void {
  const stream: unknown = Reflect.get(client, 'stream');
  if (stream instanceof Duplex) stream.on('error', () => {});
  client.disconnect();
}

/**
 * The connection on which a Cluster gets messages. Its node is the Cluster's choice, and it is replaced without an
 * event when lost.
 */
export function clusterListener(client: RedisClientLike): RedisClientLike | undefined {
  const { subscriber } = client as { subscriber?: { getInstance?(): RedisClientLike | null } };
  return client.isCluster ? (subscriber?.getInstance?.() ?? undefined) : undefined;
}
