import { createDescribeClient, type DescribeClientOptions } from '../../src/index.ts';
import {
  createTestImage,
  findRedisServer,
  type LoadScenario,
  type LoadTarget,
  type RedisServer,
  startFakeOpenAIProcess,
  startRedisServer,
} from '../../src/testing/index.ts';
import { stockTarget } from './stock-target.ts';

/** The wirings that answer calls: this SDK, or the bare `openai` client as one writes it by hand. */
export const WIRINGS = ['sdk', 'stock'] as const;
export type Wiring = (typeof WIRINGS)[number];

/** A scenario that can't run here says why, aloud. */
export class Skipped extends Error {}

export const NO_REDIS = 'there is no redis-server: install it, or set REDIS_SERVER to its path';

/** Keys beyond the first: of tenants where a scenario has some, else of further endpoints. */
function keysOf({ server, traffic = [] }: LoadScenario) {
  const apiKeys = server?.apiKeys ?? ['sk-fake'];
  const hasTenants = traffic.some(({ tenants }) => tenants !== undefined);
  return hasTenants
    ? { endpointKeys: apiKeys.slice(0, 1), tenantKeys: apiKeys.slice(1) }
    : { endpointKeys: apiKeys, tenantKeys: [] };
}

export type Composed = Awaited<ReturnType<typeof compose>>;

/** Starts the servers of a scenario, and makes its clients. The fake server has a process of its own. */
export async function compose(scenario: LoadScenario, wiring: Wiring = 'sdk') {
  if (scenario.needsRedis === true && findRedisServer() === undefined) throw new Skipped(NO_REDIS);
  if (wiring === 'stock' && scenario.needsRedis === true) throw new Skipped('the stock client has no Redis');
  const { endpointKeys, tenantKeys } = keysOf(scenario);
  if (wiring === 'stock' && tenantKeys.length > 0) throw new Skipped('the stock client has no tenants');
  const server = await startFakeOpenAIProcess(scenario.server);
  let redis: RedisServer | undefined;
  try {
    if (scenario.needsRedis === true) redis = await startRedisServer();
  } catch (error) {
    await server.close();
    throw error;
  }
  const { baseURL } = server;
  const options: DescribeClientOptions = {
    ...scenario.client,
    endpoints: endpointKeys.map((apiKey) => ({ apiKey, baseURL })),
    ...(redis === undefined ? {} : { redis: redis.url }),
  };
  const clients = Array.from({ length: wiring === 'sdk' ? (scenario.clients ?? 1) : 0 }, () =>
    createDescribeClient(options),
  );
  const targets: readonly LoadTarget[] =
    wiring === 'sdk' ? clients : [stockTarget(endpointKeys, baseURL, scenario.client)];
  return {
    targets,
    clients,
    server,
    redis,
    tenantKeys,
    close: async () => {
      await Promise.all(clients.map((client) => client.close()));
      await server.close();
      await redis?.stop();
    },
  };
}

const WARM_UP_CALLS = 20;
/** Far from the seeds of any scenario's images. */
const FIRST_WARM_UP_SEED = 9_000_000_000_000_000;

/** Makes some calls that are not counted: the first ones of a process load modules and compile code. */
export async function warmUp(targets: readonly LoadTarget[]): Promise<void> {
  for (const target of targets) {
    for (let call = 0; call < WARM_UP_CALLS; call += 1) {
      // A scenario that fails at once says so by itself.
      await target.describe(createTestImage({ seed: FIRST_WARM_UP_SEED + call })).catch(() => undefined);
    }
  }
}
