import { describe, expect, it } from 'vitest';
import type { PermitShare, PermitUser, SlotPermits } from './options/slot-permits.ts';
import { makePool } from './thing-pool.fixture.ts';

describe('a pool that shares permits', () => {
  it('makes a resource only with a permit, gives each back, and closes what it may not keep', async () => {
    const log: string[] = [];
    let free = 1;
    let keeps = true;
    const share: PermitShare = {
      take: () => {
        const granted = free > 0;
        if (granted) free -= 1;
        log.push(granted ? 'took' : 'waits');
        return granted;
      },
      give: () => {
        free += 1;
        log.push('gave');
      },
      keeps: (isWanted) => {
        log.push(isWanted ? 'wanted' : 'idle');
        return keeps;
      },
    };
    let user: PermitUser | undefined;
    const permits: SlotPermits = {
      join: (joined) => {
        user = joined;
        return share;
      },
    };
    const { pool, clock } = makePool({ permits });
    const first = await pool.acquire();
    const second = pool.acquire();
    await clock.flush();
    expect({ log: log.splice(0), wanted: user?.wanted }).toEqual({ log: ['took', 'waits'], wanted: 1 });
    first.release();
    (await second).release();
    expect({ log: log.splice(0), idle: user?.idle.length }).toEqual({ log: ['wanted', 'idle'], idle: 1 });
    user?.closeIdle();
    await clock.flush();
    expect({ log: log.splice(0), idle: user?.idle.length }).toEqual({ log: ['gave'], idle: 0 });
    keeps = false;
    const third = pool.acquire();
    const fourth = pool.acquire();
    (await third).release();
    await clock.flush();
    expect(log.splice(0)).toEqual(['took', 'waits', 'waits', 'wanted', 'gave', 'took']);
    (await fourth).destroy();
    await clock.flush();
    expect(log.splice(0)).toEqual(['gave']);
    expect(pool.getStats().retired).toMatchObject({ yielded: 2, requested: 1 });
  });

  it('keeps no minimum', () => {
    const permits: SlotPermits = { join: () => ({ take: () => true, give: () => {}, keeps: () => true }) };
    expect(() => makePool({ permits, minSize: 1 })).toThrow(/minSize.*0 with permits/);
    expect(() => makePool({ permits: {} as SlotPermits })).toThrow(/permits.*join/);
  });
});
