import type { ConfigIssue } from '../../errors/config-error.ts';
import { describeValue } from '../../internal/options/option-checks.ts';
import type { RedisClientLike } from './redis-client.ts';
import { breaksSlots } from './redis-names.ts';

/** An address of a Redis server. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** The address of Redis, and how to connect. Without these options the cache works in memory only. */
export interface RedisTargetOptions {
  /** Host of a Redis server. @defaultValue '127.0.0.1' when another of these options names Redis */
  readonly host?: string | undefined;
  /** Port of that server. @defaultValue 6379 */
  readonly port?: number | undefined;
  /** User of the server's access control list. @defaultValue none */
  readonly username?: string | undefined;
  /** Password of the user, or of the server. Never shown. @defaultValue none */
  readonly password?: string | undefined;
  /**
   * Index of the database, 0 on a Cluster. If the server lacks it, no other one is used, and `health()` reports it.
   * @defaultValue 0
   */
  readonly db?: number | undefined;
  /** `redis://` or `rediss://` (TLS) URL. Other options win over its parts. @defaultValue none */
  readonly url?: string | undefined;
  /** IP version of the connection: 4, 6, or 0 for either. `?family=6` in a URL has the same effect. @defaultValue 0 */
  readonly family?: 0 | 4 | 6 | undefined;
  /** TLS options as for `node:tls`, or `true` for the defaults; for Sentinels too. @defaultValue none, or by the URL */
  readonly tls?: boolean | object | undefined;
  /** A client of ioredis that you make and close. Its own options are not changed. @defaultValue none */
  readonly client?: RedisClientLike | undefined;
  /** Nodes of a Cluster to start from. @defaultValue none */
  readonly cluster?: readonly RedisAddress[] | undefined;
  /** Sentinels to ask for the master of `sentinelName`. @defaultValue none */
  readonly sentinels?: readonly RedisAddress[] | undefined;
  /** Name of the master that the Sentinels watch. @defaultValue 'mymaster' */
  readonly sentinelName?: string | undefined;
  /**
   * Effect of a missing `ioredis` on a cache that names Redis. `reject`: every operation rejects with
   * `DESCRIBE_CONFIG_INVALID`. `memory-only`: the cache works in memory, and `health()` reports it.
   * @defaultValue 'reject'
   */
  readonly onDriverMissing?: 'reject' | 'memory-only' | undefined;
}

/** Where Redis is. */
export type RedisTarget =
  | { readonly kind: 'client'; readonly client: RedisClientLike }
  | {
      readonly kind: 'cluster';
      readonly nodes: readonly RedisAddress[];
      readonly options: RedisTargetOptions;
    }
  | { readonly kind: 'sentinels' | 'server'; readonly options: RedisTargetOptions };

const WAYS = ['client', 'cluster', 'sentinels'] as const;
const NAMES_REDIS = ['host', 'port', 'username', 'password', 'db', 'url', 'tls', ...WAYS] as const;

/** Issues of options that contradict each other. */
export function contradictions(options: RedisTargetOptions | undefined, keyPrefix: string): ConfigIssue[] {
  const [first, ...others] = WAYS.filter((way) => options?.[way] !== undefined);
  const issues: ConfigIssue[] = others.map((way) => ({
    option: way,
    expected: `nothing beside ${first}`,
    got: 'both',
  }));
  const { client, cluster, db = 0 } = options ?? {};
  if (cluster !== undefined && db !== 0) {
    issues.push({ option: 'db', expected: '0 on a Cluster, which has no other', got: describeValue(db) });
  }
  const isCluster = cluster !== undefined || client?.isCluster === true;
  if (isCluster && breaksSlots(`${client?.options?.keyPrefix ?? ''}${keyPrefix}`)) {
    const expected = 'something between its first braces, which a Cluster hashes';
    issues.push({ option: 'keyPrefix', expected, got: describeValue(keyPrefix) });
  }
  return issues;
}

export function targetOf(options: RedisTargetOptions): RedisTarget | undefined {
  if (options.client !== undefined) return { kind: 'client', client: options.client };
  if (options.cluster !== undefined) return { kind: 'cluster', nodes: options.cluster, options };
  if (options.sentinels !== undefined) return { kind: 'sentinels', options };
  return NAMES_REDIS.some((name) => options[name] !== undefined) ? { kind: 'server', options } : undefined;
}
