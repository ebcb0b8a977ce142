import { describe, expectTypeOf, it } from 'vitest';
import { createResourcePool, HttpClientFactory, type HttpReply, type PooledHttpClient, ResourcePool } from './index.ts';

describe('types of ResourcePool', () => {
  const pool = createResourcePool({ factory: { create: async () => ({ id: 1 }), destroy: ({ id }) => id } });

  it('knows the resource from its factory', () => {
    expectTypeOf(pool).toEqualTypeOf<ResourcePool<{ id: number }>>();
    expectTypeOf(pool.acquire).returns.resolves.toHaveProperty('resource').toEqualTypeOf<{ id: number }>();
  });

  it('gives what the function of use gives, promised or not', () => {
    expectTypeOf(pool.use(({ id }) => id)).resolves.toEqualTypeOf<number>();
    expectTypeOf(pool.use(async () => 'text')).resolves.toEqualTypeOf<string>();
  });

  it('takes HttpClientFactory as a factory', () => {
    const factory = new HttpClientFactory({ baseURL: 'https://example.com' });
    const clients = new ResourcePool({ factory });
    expectTypeOf(clients).toEqualTypeOf<ResourcePool<PooledHttpClient>>();
    expectTypeOf(clients.use((http) => http.get<{ a: number }>('x'))).resolves.toEqualTypeOf<
      HttpReply<{ a: number }>
    >();
  });

  it('refuses a factory that can not destroy', () => {
    // @ts-expect-error destroy is required
    createResourcePool({ factory: { create: () => 1 } });
  });
});
