import type { Cluster, Redis } from 'ioredis';
import { nodeModule } from '../../internal/modules/node-modules.ts';
import { namedExportsOf, peerFailure } from '../../internal/modules/peer-package.ts';

/** The exports of ioredis that are used. */
export interface RedisDriver {
  readonly Redis: typeof Redis;
  readonly Cluster: typeof Cluster;
}

/**
 * Loads ioredis at first use.
 * @throws `DESCRIBE_CONFIG_INVALID` when it is not installed. Any other failure is thrown as it is; call again later.
 */
export async function loadDriver(): Promise<RedisDriver> {
  return namedExportsOf(await importDriver(), 'Redis');
}

async function importDriver(): Promise<RedisDriver> {
  try {
    return await import('ioredis');
  } catch (error) {
    const entry = entryThatNodeForgot(error);
    if (entry === undefined) throw peerFailure('RedisCache', 'ioredis', error);
    // Required and not imported, because Node also remembers a failed import of a file.
    return nodeModule().createRequire(entry)(entry) as RedisDriver;
  }
}

/**
 * Node 20 without free file descriptors takes a package to have no package.json, remembers that for ever, and looks for
 * index.js. Later versions do not. The package's entry file can still be required.
 */
function entryThatNodeForgot(error: unknown): string | undefined {
  const [, guess] = /package '(.+[\\/]ioredis[\\/]index\.js)'/.exec(String(error)) ?? [];
  if (guess === undefined) return undefined;
  const { dirname, join } = process.getBuiltinModule('node:path');
  const entry = join(dirname(guess), 'built', 'index.js');
  return process.getBuiltinModule('node:fs').existsSync(entry) ? entry : undefined;
}
