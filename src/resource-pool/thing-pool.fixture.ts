import { vi } from 'vitest';
import { DescribeError } from '../errors/index.ts';
import { ManualClock } from '../testing/manual-clock.ts';
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

/** The code that a promise rejects with, or its value or other error. */
export const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fulfilled',
    (error: unknown) => (DescribeError.is(error) ? error.code : error),
  );
