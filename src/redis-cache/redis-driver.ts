import type {
  Cluster,
  ClusterOptions as DriverClusterOptions,
  RedisOptions as DriverOptions,
  Redis,
} from 'ioredis';
import { exponentialDelay } from '../internal/backoff.ts';
import { namedExportsOf, peerFailure } from '../internal/peer-package.ts';
import type { RedisTarget, RedisTargetOptions } from './cache-options.ts';
import type { RedisClientLike } from './redis-client.ts';

/** ioredis types these two by what they hold, which an explicit undefined would not fit. */
type RedisOptions = Omit<DriverOptions, 'replyMapping'>;
type ClusterOptions = Omit<DriverClusterOptions, 'redisOptions'> & {
  readonly redisOptions: Omit<
    RedisOptions,
    | 'host'
    | 'path'
    | 'port'
    | 'sentinels'
    | 'enableOfflineQueue'
    | 'retryStrategy'
    | 'readOnly'
    | 'himportFieldsets'
  >;
};

/** The two connections that a cache has; `owned` ones it closes. */
export interface RedisClients {
  readonly data: RedisClientLike;
  readonly subscriber: RedisClientLike;
  readonly ownsData: boolean;
}

/**
 * Makes the connections, not yet opened. ioredis is loaded here, at first use, and only here.
 * @throws `DESCRIBE_CONFIG_INVALID` when ioredis is not installed.
 */
export async function createRedisClients(
  target: RedisTarget,
  operationTimeoutMs: number,
): Promise<RedisClients> {
  if (target.kind === 'client') {
    // A duplicate of the user's client needs no import: it comes from their copy of ioredis.
    return { data: target.client, subscriber: duplicateAsSubscriber(target.client), ownsData: false };
  }
  const ioredis = await loadDriver();
  const make = (options: RedisOptions): RedisClientLike => {
    if (target.kind !== 'cluster') return new ioredis.Redis(serverOptions(target.options, options));
    const nodes = target.nodes.map(({ host, port }) => ({ host, port }));
    return new ioredis.Cluster(nodes, clusterOptions(target.options, options));
  };
  return {
    data: make(dataOptions(operationTimeoutMs)),
    subscriber: make(SUBSCRIBER_OPTIONS),
    ownsData: true,
  };
}

async function loadDriver(): Promise<{ Redis: typeof Redis; Cluster: typeof Cluster }> {
  try {
    return namedExportsOf(await import('ioredis'), 'Redis');
  } catch (error) {
    throw peerFailure('RedisCache', 'ioredis', error);
  }
}

const MAX_RECONNECT_DELAY_MS = 5_000;

/** Milliseconds before the next try to connect; never null, so reconnecting never stops. */
export const retryStrategy = (attempt: number): number =>
  exponentialDelay(attempt, { initialDelayMs: 50, maxDelayMs: MAX_RECONNECT_DELAY_MS }) + Math.random() * 50;

const SHARED_OPTIONS = {
  lazyConnect: true,
  connectTimeout: 2_000,
  keepAlive: 10_000,
  // ioredis holds the process open for so long after a disconnect, even from a server that was never there.
  disconnectTimeout: 50,
  retryStrategy,
  // What was sent before a connection was lost is not sent again: it could overwrite what came later.
  autoResendUnfulfilledCommands: false,
  // ioredis would leave the answer to its own subscription unheard; the connection subscribes itself.
  autoResubscribe: false,
  // A failover leaves clients connected to what is now a replica.
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 1 : false),
} as const satisfies RedisOptions;

const dataOptions = (operationTimeoutMs: number): RedisOptions => ({
  ...SHARED_OPTIONS,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  // Both let an operation have its whole time, and the first what bulk ones of 10,000 keys get more.
  commandTimeout: operationTimeoutMs + 1_000,
  // Without it a connection whose other end vanished hangs for 10 to 15 minutes (ioredis#1932).
  socketTimeout: Math.max(2_000, operationTimeoutMs),
  enableAutoPipelining: false,
});

const SUBSCRIBER_OPTIONS: RedisOptions = { ...SHARED_OPTIONS, maxRetriesPerRequest: null };

function serverOptions(target: RedisTargetOptions, options: RedisOptions): RedisOptions {
  const { host, port, username, password, db, url, tls, sentinels, sentinelName = 'mymaster' } = target;
  const server: RedisOptions = {
    ...options,
    ...(url === undefined ? {} : optionsOfUrl(url)),
    ...definedOf({ host, port, username, password, db }),
    ...(tls === undefined || tls === false ? {} : { tls: tls === true ? {} : tls }),
  };
  if (sentinels === undefined) return server;
  return {
    ...server,
    sentinels: sentinels.map((sentinel) => ({ ...sentinel })),
    name: sentinelName,
    // One that hangs would be waited for without end.
    sentinelCommandTimeout: 1_000,
    // The first round begins after the Sentinel that answered last, so all are asked only in the second. After that
    // whoever watches the connection tries again: a wait of ioredis would hold the process open.
    sentinelRetryStrategy: (round) => (round === 1 ? 0 : null),
    // Without these ioredis would speak plainly to both.
    ...(server.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: server.tls }),
  };
}

/** Read here and not by ioredis, so that the options beside a URL win over it. */
function optionsOfUrl(text: string): RedisOptions {
  const url = new URL(text);
  const db = Number(url.pathname.slice(1) || url.searchParams.get('db') || Number.NaN);
  return {
    ...definedOf({
      host: url.hostname.replace(/^\[|\]$/g, '') || undefined,
      port: url.port === '' ? undefined : Number(url.port),
      username: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
      db: Number.isSafeInteger(db) ? db : undefined,
    }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

function clusterOptions(target: RedisTargetOptions, options: RedisOptions): ClusterOptions {
  const { enableOfflineQueue = true, lazyConnect: _lazy, retryStrategy: _retry, ...redisOptions } = options;
  const { username, password, tls } = target;
  return {
    lazyConnect: true,
    enableOfflineQueue,
    maxRedirections: 3,
    retryDelayOnFailover: 50,
    slotsRefreshTimeout: 1_000,
    clusterRetryStrategy: retryStrategy,
    redisOptions: {
      ...redisOptions,
      ...definedOf({ username, password }),
      ...(tls === undefined || tls === false ? {} : { tls: tls === true ? {} : tls }),
    },
  };
}

/** Without the properties that are undefined: ioredis takes an explicit undefined for a value. */
function definedOf<Given extends object>(
  given: Given,
): { [Name in keyof Given]?: Exclude<Given[Name], undefined> } {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Given]?: Exclude<Given[Name], undefined> };
}

function duplicateAsSubscriber(client: RedisClientLike): RedisClientLike {
  const duplicate = client.duplicate as (...args: unknown[]) => RedisClientLike;
  const options = { lazyConnect: true, enableOfflineQueue: true, autoResubscribe: false };
  if (client.isCluster) return duplicate.call(client, undefined, options);
  return duplicate.call(client, { ...options, maxRetriesPerRequest: null, keyPrefix: '' });
}
