import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { PoolManager } from './pool-manager.ts';

describe('PoolManager', () => {
  it('opens nothing for a pool that it refuses', async () => {
    let opened = 0;
    const server = createServer(() => {
      opened += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const manager = new PoolManager({ maxPools: 1 });
    const lease = await manager.getPool('sk-a').acquire();
    expect(() => manager.getPool('sk-b', baseURL, { warmUpOnStart: true })).toThrowError(/maxPools/);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(opened).toBe(0);
    lease.release();
    await manager.closeAll();
    await new Promise((resolve) => server.close(resolve));
  });
});
