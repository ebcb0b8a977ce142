import type { ClusterOptions as DriverClusterOptions, RedisOptions as DriverOptions } from 'ioredis';
import { exponentialDelay } from '../../internal/backoff.ts';
import { definedOf } from '../../internal/options/defined-of.ts';
import { loadDriver } from './load-driver.ts';
import type { RedisClientLike } from './redis-client.ts';
import type { RedisTarget, RedisTargetOptions } from './redis-target.ts';
import { optionsOfUrl } from './redis-url.ts';

/** The types of ioredis for these two do not allow an explicit undefined. */
type RedisOptions = Omit<DriverOptions, 'replyMapping'>;
type ClusterOptions = Omit<DriverClusterOptions, 'redisOptions'> & {
  readonly redisOptions: Omit<
    RedisOptions,
    'host' | 'path' | 'port' | 'sentinels' | 'enableOfflineQueue' | 'retryStrategy' | 'readOnly' | 'himportFieldsets'
  >;
};

/** The two connections of a cache; it closes `data` only where `ownsData`. */
export interface RedisClients {
  readonly data: RedisClientLike;
  readonly subscriber: RedisClientLike;
  readonly ownsData: boolean;
}

/**
 * Makes the connections, not yet opened.
 * @throws `DESCRIBE_CONFIG_INVALID` when ioredis is not installed, and other errors of its import.
 */
export async function createRedisClients(target: RedisTarget, operationTimeoutMs: number): Promise<RedisClients> {
  if (target.kind === 'client') {
    // A duplicate of the user's client needs no import: it comes from the user's copy of ioredis.
    return { data: target.client, subscriber: duplicateAsSubscriber(target.client), ownsData: false };
  }
  const ioredis = await loadDriver();
  const make = (options: RedisOptions, db?: number): RedisClientLike => {
    if (target.kind !== 'cluster')
      return new ioredis.Redis({ ...serverOptions(target.options, options), ...definedOf({ db }) });
    const nodes = target.nodes.map(({ host, port }) => ({ host, port }));
    return new ioredis.Cluster(nodes, clusterOptions(target.options, options));
  };
  return {
    data: make(dataOptions(operationTimeoutMs)),
    // Messages are independent of databases.
    subscriber: make(SUBSCRIBER_OPTIONS, 0),
    ownsData: true,
  };
}

const MAX_RECONNECT_DELAY_MS = 5_000;

/** Milliseconds before the next try to connect; never null, so reconnecting never stops. */
export const retryStrategy = (attempt: number): number =>
  exponentialDelay(attempt, { initialDelayMs: 50, maxDelayMs: MAX_RECONNECT_DELAY_MS }) + Math.random() * 50;

const SHARED_OPTIONS = {
  lazyConnect: true,
  connectTimeout: 2_000,
  keepAlive: 10_000,
  // ioredis keeps the process alive for this long after a disconnect, even from a server that never existed.
  disconnectTimeout: 50,
  retryStrategy,
  // A command from before a lost connection is not sent again: it could overwrite a later one.
  autoResendUnfulfilledCommands: false,
  // ioredis does not report the answer to its own subscription; `RedisSubscription` subscribes itself.
  autoResubscribe: false,
  // ioredis 6 uses 3 by default, which a proxy may not know.
  protocol: 2,
  // After a failover, clients stay connected to a server that is now a replica.
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 1 : false),
} as const satisfies RedisOptions;

const dataOptions = (operationTimeoutMs: number): RedisOptions => ({
  ...SHARED_OPTIONS,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  // Longer than any operation: one with 10,000 keys gets a second more.
  commandTimeout: operationTimeoutMs + 1_000,
  // Without it a connection whose other end vanished hangs for 10 to 15 minutes (ioredis#1932).
  socketTimeout: Math.max(2_000, operationTimeoutMs),
  enableAutoPipelining: false,
});

const SUBSCRIBER_OPTIONS: RedisOptions = { ...SHARED_OPTIONS, maxRetriesPerRequest: null };

function serverOptions(target: RedisTargetOptions, options: RedisOptions): RedisOptions {
  const { host, port, username, password, db, url, tls, family, sentinels, sentinelName = 'mymaster' } = target;
  const server: RedisOptions = {
    ...options,
    // ioredis would send INFO, which may be forbidden or renamed. A server that still loads refuses commands anyway.
    enableReadyCheck: false,
    ...(url === undefined ? {} : optionsOfUrl(url)),
    ...definedOf({ host, port, username, password, db, family }),
    ...(tls === undefined || tls === false ? {} : { tls: tls === true ? {} : tls }),
  };
  if (sentinels === undefined) return server;
  return {
    ...server,
    sentinels: sentinels.map((sentinel) => ({ ...sentinel })),
    name: sentinelName,
    // By INFO, ioredis notices that the server named by a Sentinel is no longer the master.
    enableReadyCheck: true,
    // Otherwise ioredis waits without end for a Sentinel that hangs.
    sentinelCommandTimeout: 1_000,
    // The first round begins after the Sentinel that answered last, so only the second one asks all. Then `ClientWatch`
    // tries again, because a wait of ioredis would keep the process alive.
    sentinelRetryStrategy: (round) => (round === 1 ? 0 : null),
    // Without these ioredis would use no TLS for Sentinels.
    ...(server.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: server.tls }),
  };
}

function clusterOptions(target: RedisTargetOptions, options: RedisOptions): ClusterOptions {
  const { enableOfflineQueue = true, lazyConnect: _lazy, retryStrategy: _retry, ...redisOptions } = options;
  const { username, password, tls, family } = target;
  const isTls = tls !== undefined && tls !== false;
  return {
    lazyConnect: true,
    enableOfflineQueue,
    maxRedirections: 3,
    retryDelayOnFailover: 50,
    slotsRefreshTimeout: 1_000,
    clusterRetryStrategy: retryStrategy,
    // ioredis would connect to addresses, but certificates hold host names.
    ...(isTls ? { dnsLookup: (host, callback) => callback(null, host) } : {}),
    redisOptions: {
      ...redisOptions,
      ...definedOf({ username, password, family }),
      ...(isTls ? { tls: tls === true ? {} : tls } : {}),
    },
  };
}

function duplicateAsSubscriber(client: RedisClientLike): RedisClientLike {
  const duplicate = client.duplicate as (...args: unknown[]) => RedisClientLike;
  const options = { lazyConnect: true, enableOfflineQueue: true, autoResubscribe: false };
  if (client.isCluster) return duplicate.call(client, undefined, options);
  return duplicate.call(client, { ...options, maxRetriesPerRequest: null, keyPrefix: '' });
}
