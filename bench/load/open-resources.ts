import { getEventListeners } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { getHeapSpaceStatistics } from 'node:v8';
import type { FakeOpenAIProcess, RedisServer } from '../../src/testing/index.ts';
import { askRedis } from '../../src/testing/redis-topologies.ts';
import { collectGarbage } from '../harness/collect-garbage.ts';

/** Resources that this process and its servers hold while no call is in work. */
export interface OpenResources {
  /** Objects on the heap. The code that V8 compiles meanwhile does not count. */
  readonly 'heap bytes': number;
  /** Buffers outside the heap. */
  readonly 'buffer bytes': number;
  /** Handles that keep the event loop alive: sockets, timers, requests. */
  readonly handles: number;
  /** On the process, and on the signal that the application gives to every call. */
  readonly listeners: number;
  /** Open sockets of this process; absent where the system has no /proc. */
  readonly sockets?: number;
  /** Connections that the API's server has open. */
  readonly 'server connections': number;
  /** Connections that Redis has open; absent without Redis. */
  readonly 'redis connections'?: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sources of the counts. */
export interface ResourceSources {
  readonly signal: AbortSignal;
  readonly server: FakeOpenAIProcess;
  readonly redis: RedisServer | undefined;
}

const listenersOf = (signal: AbortSignal) =>
  getEventListeners(signal, 'abort').length +
  process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);

function openSockets(): number | undefined {
  const folder = '/proc/self/fd';
  const isSocket = (name: string) => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith('socket:');
    } catch {
      // The descriptor by which the folder was read is closed by now.
      return false;
    }
  };
  try {
    return readdirSync(folder).filter(isSocket).length;
  } catch {
    return undefined;
  }
}

type Counts = Omit<OpenResources, 'heap bytes' | 'buffer bytes'>;

async function counts({ signal, server, redis }: ResourceSources): Promise<Counts> {
  const sockets = openSockets();
  const { connections } = await server.getStats();
  const info = redis === undefined ? undefined : await askRedis(redis.port, 'INFO clients');
  const clients = /connected_clients:(\d+)/.exec(info ?? '')?.[1];
  return {
    handles: process.getActiveResourcesInfo().length,
    listeners: listenersOf(signal),
    ...(sockets === undefined ? {} : { sockets }),
    'server connections': connections.open,
    ...(clients === undefined ? {} : { 'redis connections': Number(clients) }),
  };
}

/** Spaces of compiled code and of what belongs to it; they grow for minutes while V8 optimises. */
const CODE_SPACES = /code|trusted|read_only/;

const objectBytes = (): number =>
  getHeapSpaceStatistics()
    .filter(({ space_name }) => !CODE_SPACES.test(space_name))
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0);

const POLL_MS = 300;
/** Pools close what is idle beyond their least within some seconds; then the counts stand still. */
const STEADY_POLLS = 6;
const MAX_POLLS = 30;

/** Waits until nothing opens or closes any more, collects all garbage, and counts. */
export async function readResources(sources: ResourceSources): Promise<OpenResources> {
  let last = await counts(sources);
  for (let poll = 0, steady = 0; poll < MAX_POLLS && steady < STEADY_POLLS; poll += 1) {
    await pause(POLL_MS);
    const now = await counts(sources);
    steady = JSON.stringify(now) === JSON.stringify(last) ? steady + 1 : 0;
    last = now;
  }
  for (let round = 0; round < 5; round += 1) {
    await pause(20);
    collectGarbage();
  }
  return { 'heap bytes': objectBytes(), 'buffer bytes': process.memoryUsage().external, ...last };
}
