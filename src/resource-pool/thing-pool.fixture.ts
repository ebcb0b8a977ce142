import { afterEach, vi } from 'vitest';
import { DescribeError } from '../errors/index.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { ResourceFactory } from './options/resource-factory.ts';
import type { ResourcePoolOptions } from './options/resource-pool-options.ts';
import { ResourcePool } from './resource-pool.ts';

export interface Thing {
  readonly id: number;
}

/** A pool of numbered things on a manual clock, and the spies of its factory. */
export function makePool(options: Partial<ResourcePoolOptions<Thing>> = {}) {
  const clock = new ManualClock();
  let nextId = 1;
  const create = vi.fn((): Thing | Promise<Thing> => ({ id: nextId++ }));
  const destroy = vi.fn((_thing: Thing): unknown => undefined);
  const pool = new ResourcePool<Thing>({
    factory: { create, destroy },
    maxSize: 2,
    clock,
    ...options,
    ...(options.factory && { factory: { ...options.factory } }),
  });
  return { pool, clock, create, destroy };
}

/** Hooks of the factory of a pool of things. */
export type ThingHooks = Partial<ResourceFactory<Thing>>;

/** Makes pools of numbered things whose factory has these hooks. They are destroyed after each test. */
export function useThingPools() {
  const pools: ResourcePool<Thing>[] = [];
  afterEach(() => {
    for (const pool of pools.splice(0)) void pool.destroy();
  });
  return (hooks: ThingHooks = {}, options: Partial<ResourcePoolOptions<Thing>> = {}) => {
    const clock = new ManualClock();
    let nextId = 1;
    const create = vi.fn<ResourceFactory<Thing>['create']>(() => ({ id: nextId++ }));
    const destroy = vi.fn();
    const pool = new ResourcePool<Thing>({ factory: { create, destroy, ...hooks }, maxSize: 2, clock, ...options });
    pools.push(pool);
    return { pool, clock, create, destroy };
  };
}

/** The code that a promise rejects with, or its value or other error. */
export const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fulfilled',
    (error: unknown) => (DescribeError.is(error) ? error.code : error),
  );
