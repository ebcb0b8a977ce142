import { describe, expect, it } from 'vitest';
import { OutageLog } from './outage-log.ts';

describe('OutageLog', () => {
  it('distrusts what it holds until that is settled', () => {
    const log = new OutageLog(10);
    log.addKeys(['key']);
    log.addTags(['tag']);
    expect([log.distrusts('key'), log.distrusts('other')]).toEqual([true, false]);
    expect([log.distrustsStamps({ a: '1', tag: '2' }), log.distrustsStamps({ a: '1' })]).toEqual([true, false]);
    log.settle(log.next());
    expect([log.distrusts('key'), log.distrustsTag('tag'), log.size]).toEqual([false, false, 0]);
  });

  it('keeps what was added again while it was replayed', () => {
    const log = new OutageLog(10);
    log.addKeys(['key']);
    log.addTags(['tag']);
    const batch = log.next();
    log.addKeys(['key']);
    log.addTags(['tag']);
    log.settle(batch);
    expect([log.distrusts('key'), log.distrustsTag('tag')]).toEqual([true, true]);
  });

  it('becomes one removal of everything when there are too many', () => {
    const log = new OutageLog(3);
    log.addKeys(['a', 'b']);
    log.addTags(['c']);
    expect(log.overflows).toBe(0);
    log.addTags(['d']);
    expect([log.overflows, log.size]).toEqual([1, 1]);
    expect([log.distrusts('anything'), log.distrustsStamps({ '': 'x' })]).toEqual([true, true]);
    expect([...log.next().tags.keys()]).toEqual(['']);
  });

  it('forgets overwritten keys beyond its limit instead of clearing everything', () => {
    const log = new OutageLog(2);
    log.addOverwritten(['a', 'b', 'c']);
    expect(['a', 'b', 'c'].map((key) => log.distrusts(key))).toEqual([true, true, false]);
    expect(log.overflows).toBe(0);
    log.settle(log.next());
    expect(log.size).toBe(0);
  });

  it('replays in batches', () => {
    const log = new OutageLog(2_000);
    log.addKeys(Array.from({ length: 1_200 }, (_, n) => `k${n}`));
    let batches = 0;
    for (; log.size > 0; batches += 1) log.settle(log.next());
    expect(batches).toBe(3);
  });
});
