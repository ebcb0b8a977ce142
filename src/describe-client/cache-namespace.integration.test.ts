import { describe, expect, it } from 'vitest';
import { RedisCache } from '../redis-cache/index.ts';
import { image, useFakeApi } from './fake-api.fixture.ts';

const { server, start } = useFakeApi();

describe('a namespace of your cache as the cache of a client', () => {
  it('keeps its descriptions apart from those of another client, and is not closed', async () => {
    const cache = new RedisCache();
    const first = start({ cache: cache.namespace('first') });
    await first.describe(image, { tags: ['album'] });
    await expect(first.describe(image, { tags: ['album'] })).resolves.toMatchObject({ source: 'memory' });
    const second = start({ cache: cache.namespace('second') });
    await expect(second.describe(image)).resolves.toMatchObject({ source: 'upstream' });
    await second.invalidateTags(['album']);
    await expect(first.describe(image)).resolves.toMatchObject({ source: 'memory' });
    await first.invalidateTags(['album']);
    await first.describe(image);
    expect(server().seen()).toHaveLength(3);
    await first.close();
    expect(cache.health().status).toBe('healthy');
    expect(cache.namespace('first').getStats()).toMatchObject({ misses: 2, factoryCalls: 2 });
    await cache.close();
  });
});
