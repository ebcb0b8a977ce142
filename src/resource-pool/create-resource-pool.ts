import { bindMethods } from '../internal/bind-methods.ts';
import type { ResourcePoolOptions } from './options/resource-pool-options.ts';
import { ResourcePool } from './resource-pool.ts';

/** Makes a `ResourcePool` whose methods may be taken apart from it. */
export function createResourcePool<Resource>(options: ResourcePoolOptions<Resource>): ResourcePool<Resource> {
  return bindMethods(new ResourcePool(options));
}
