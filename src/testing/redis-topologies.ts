import { connect } from 'node:net';
import { sleep } from '../internal/async/signals.ts';
import { findFreePort, type RedisServer, startRedisServer } from './redis-server.ts';

/** Sends one inline command to a Redis of this machine and gives its answer as it stands on the wire. */
export function askRedis(port: number, command: string, timeoutMs = 10_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: timeoutMs });
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.once('error', fail);
    socket.once('timeout', () => fail(new Error('Redis said nothing')));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(String(data));
    });
    socket.write(`${command}\r\n`);
  });
}

async function until(what: string, holds: () => Promise<boolean>, timeoutMs = 45_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`${what} did not come about within ${timeoutMs} ms`);
    await sleep(50);
  }
}

const stopAll = async (servers: readonly RedisServer[]) => {
  await Promise.all(servers.map((server) => server.stop()));
};

/** A Cluster of masters without replicas that serves what it has when one is away. */
export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer[];
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  stop(): Promise<void>;
}

const SLOTS = 16_384;

/** Starts a Cluster whose masters share the slots evenly, and waits until each sees it complete. */
export async function startRedisCluster(size = 3): Promise<RedisCluster> {
  const busPorts = await Promise.all(Array.from({ length: size }, findFreePort));
  const nodes = await Promise.all(
    busPorts.map((busPort) =>
      startRedisServer({
        args: [
          ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
          ...['--cluster-node-timeout', '1000', '--cluster-require-full-coverage', 'no'],
        ],
      }),
    ),
  );
  const [first] = nodes;
  if (first === undefined) throw new Error('a Cluster needs a node');
  for (const [index, node] of nodes.entries()) {
    const from = Math.floor((SLOTS * index) / size);
    const to = Math.floor((SLOTS * (index + 1)) / size) - 1;
    await askRedis(node.port, `CLUSTER ADDSLOTSRANGE ${from} ${to}`);
    if (node !== first) await askRedis(first.port, `CLUSTER MEET 127.0.0.1 ${node.port} ${busPorts[index]}`);
  }
  const complete = async (node: RedisServer) => {
    const info = await askRedis(node.port, 'CLUSTER INFO');
    return (
      info.includes('cluster_state:ok') &&
      info.includes(`cluster_slots_ok:${SLOTS}`) &&
      info.includes(`cluster_known_nodes:${size}`)
    );
  };
  for (const node of nodes) await until('the Cluster', () => complete(node));
  return {
    nodes,
    addresses: nodes.map(({ host, port }) => ({ host, port })),
    stop: () => stopAll(nodes),
    [Symbol.asyncDispose]: () => stopAll(nodes),
  };
}

/** A master, its replica, and one Sentinel that watches them. */
export interface RedisSentinelSetup extends AsyncDisposable {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinel: RedisServer;
  readonly name: string;
  /** Makes the replica the master, and waits until it is. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedisSentinel(name = 'mymaster'): Promise<RedisSentinelSetup> {
  const master = await startRedisServer();
  const replica = await startRedisServer({
    args: ['--replicaof', master.host, String(master.port), '--repl-diskless-sync-delay', '0'],
  });
  const sentinel = await startRedisServer({
    config: [
      `sentinel monitor ${name} ${master.host} ${master.port} 1`,
      `sentinel down-after-milliseconds ${name} 1000`,
      `sentinel failover-timeout ${name} 5000`,
    ],
    args: ['--sentinel'],
  });
  const servers = [sentinel, replica, master];
  await until('the replica', async () =>
    (await askRedis(replica.port, 'INFO replication')).includes('master_link_status:up'),
  );
  await until('the Sentinel', async () =>
    (await askRedis(sentinel.port, `SENTINEL REPLICAS ${name}`)).includes(`:${replica.port}`),
  );
  return {
    master,
    replica,
    sentinel,
    name,
    async failOver() {
      await until('the failover', async () =>
        (await askRedis(sentinel.port, `SENTINEL FAILOVER ${name}`)).includes('OK'),
      );
      await until('the new master', async () =>
        (await askRedis(replica.port, 'INFO replication')).includes('role:master'),
      );
    },
    stop: () => stopAll(servers),
    [Symbol.asyncDispose]: () => stopAll(servers),
  };
}
