import { describe, expect, it } from 'vitest';
import { RemovalGuard } from './removal-guard.ts';

describe('RemovalGuard', () => {
  it('tells a read whether its name was removed since it began', () => {
    const guard = new RemovalGuard();
    const early = guard.begin();
    guard.removed('name');
    const late = guard.begin();
    expect([guard.isClean(early, 'name'), guard.isClean(early, 'other')]).toEqual([false, true]);
    expect(guard.isClean(late, 'name')).toBe(true);
    guard.removed('name');
    expect(guard.isClean(late, 'name')).toBe(false);
  });

  it('remembers nothing without a read, and nothing after the last read has ended', () => {
    const guard = new RemovalGuard();
    guard.removed('name');
    const ticket = guard.begin();
    expect(guard.isClean(ticket, 'name')).toBe(true);
    guard.removed('name');
    guard.end();
    expect(guard.isClean(guard.begin(), 'name')).toBe(true);
  });

  it('takes everything for removed once there are too many names', () => {
    const guard = new RemovalGuard();
    const ticket = guard.begin();
    for (let n = 0; n <= 100_000; n += 1) guard.removed(`n${n}`);
    expect(guard.isClean(ticket, 'never removed')).toBe(false);
    expect(guard.isClean(guard.begin(), 'n1')).toBe(true);
  });
});
