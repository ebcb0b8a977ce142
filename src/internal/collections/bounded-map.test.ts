import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedMap } from './bounded-map.ts';

describe('BoundedMap', () => {
  it('evicts the least recently used entry when one more is inserted', () => {
    const evicted: string[] = [];
    const map = new BoundedMap<string, number>(2, { onEvicted: (_value, key) => evicted.push(key) });
    map.set('a', 1);
    map.set('b', 2);
    expect(map.get('a')).toBe(1);
    map.set('c', 3);
    expect(evicted).toEqual(['b']);
    expect([...map]).toEqual([
      ['a', 1],
      ['c', 3],
    ]);
  });

  it('does not use an entry by peek or by iteration', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    expect(map.peek('a')).toBe(1);
    expect([...map.values()]).toEqual([1, 2]);
    map.set('c', 3);
    expect(map.peek('a')).toBeUndefined();
  });

  it('does not store what is heavier than the bound, and removes the value that it replaces', () => {
    const map = new BoundedMap<string, string>(10, { maxWeight: 5 });
    map.set('a', 'light', 2);
    map.set('a', 'heavy', 6);
    expect(map.peek('a')).toBeUndefined();
    expect(map.weight).toBe(0);
  });

  it('evicts only what the caller allows', () => {
    const map = new BoundedMap<string, boolean>(2);
    map.set('busy', false);
    map.set('idle', true);
    expect(map.evict((isIdle) => isIdle)).toBe(true);
    expect(map.evict((isIdle) => isIdle)).toBe(false);
    expect([...map]).toEqual([['busy', false]]);
  });

  it('goes on with its iteration when the current entry is deleted', () => {
    const map = new BoundedMap<number, number>(3);
    for (const key of [1, 2, 3]) map.set(key, key);
    const seen: number[] = [];
    for (const [key] of map) {
      seen.push(key);
      map.delete(key);
    }
    expect(seen).toEqual([1, 2, 3]);
    expect(map.size).toBe(0);
  });

  it('behaves as a list that is ordered by use', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), key: fc.nat(7), weight: fc.integer({ min: 0, max: 6 }) }),
      fc.record({ kind: fc.constantFrom('get', 'peek', 'delete', 'clear', 'evict'), key: fc.nat(7) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (steps, maxEntries) => {
        const maxWeight = 12;
        const evicted: number[] = [];
        const map = new BoundedMap<number, number>(maxEntries, { maxWeight, onEvicted: (_, key) => evicted.push(key) });
        let model: { key: number; value: number; weight: number }[] = [];
        const modelEvicted: number[] = [];
        const evictFirst = () => {
          const [first] = model;
          model = model.slice(1);
          if (first !== undefined) modelEvicted.push(first.key);
        };
        steps.forEach((action, value) => {
          const { key } = action;
          const known = model.find((entry) => entry.key === key);
          const others = model.filter((entry) => entry !== known);
          switch (action.kind) {
            case 'set':
              map.set(key, value, action.weight);
              model = others;
              if (known === undefined && others.length >= maxEntries) evictFirst();
              model = [...model, { key, value, weight: action.weight }];
              while (model.reduce((sum, { weight }) => sum + weight, 0) > maxWeight) evictFirst();
              break;
            case 'get':
              expect(map.get(key)).toBe(known?.value);
              if (known !== undefined) model = [...others, known];
              break;
            case 'peek':
              expect(map.peek(key)).toBe(known?.value);
              break;
            case 'delete':
              expect(map.delete(key)).toBe(known !== undefined);
              model = others;
              break;
            case 'clear':
              map.clear();
              model = [];
              break;
            default:
              map.evict();
              evictFirst();
          }
          expect([...map]).toEqual(model.map((entry) => [entry.key, entry.value]));
          expect(map.size).toBe(model.length);
          expect(map.weight).toBe(model.reduce((sum, { weight }) => sum + weight, 0));
          expect(evicted).toEqual(modelEvicted);
        });
      }),
    );
  });
});
