import { describe, expect, it } from 'vitest';
import { ReadGuard } from './read-guard.ts';

describe('ReadGuard', () => {
  it('tells a read whether its name was removed since it began', () => {
    const guard = new ReadGuard();
    const early = guard.begin();
    guard.removed('name');
    const late = guard.begin();
    expect([guard.isClean(early, 'name'), guard.isClean(early, 'other')]).toEqual([false, true]);
    expect(guard.isClean(late, 'name')).toBe(true);
    guard.removed('name');
    expect(guard.isClean(late, 'name')).toBe(false);
  });

  it('remembers nothing while nobody reads, and nothing after the last read ended', () => {
    const guard = new ReadGuard();
    guard.removed('name');
    const ticket = guard.begin();
    expect(guard.isClean(ticket, 'name')).toBe(true);
    guard.removed('name');
    guard.end();
    expect(guard.isClean(guard.begin(), 'name')).toBe(true);
  });

  it('takes everything for removed once there are too many names', () => {
    const guard = new ReadGuard();
    const ticket = guard.begin();
    for (let n = 0; n <= 100_000; n += 1) guard.removed(`n${n}`);
    expect(guard.isClean(ticket, 'never removed')).toBe(false);
    expect(guard.isClean(guard.begin(), 'n1')).toBe(true);
  });
});
