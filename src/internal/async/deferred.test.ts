import { describe, expect, it } from 'vitest';
import { Deferred } from './deferred.ts';

describe('Deferred', () => {
  it('settles once', async () => {
    const deferred = new Deferred<number>();
    deferred.resolve(1);
    deferred.reject(new Error('late'));
    await expect(deferred.promise).resolves.toBe(1);
  });
});
