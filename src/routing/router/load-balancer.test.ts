import { expect, it } from 'vitest';
import { chooseOfTwo } from './load-balancer.ts';

const candidate = (load: number, latencyMs?: number) => ({ load: () => load, latencyMs: () => latencyMs });

it.each([
  ['the lighter load where both are as fast', [candidate(2, 100), candidate(1, 100)], 1],
  ['the faster one where both have the same load', [candidate(1, 50), candidate(1, 100)], 0],
  ['the lower product of the two', [candidate(3, 50), candidate(1, 100)], 1],
  ['by load alone where one has no answer yet', [candidate(1), candidate(2, 1)], 0],
  ['the first drawn where nothing tells them apart', [candidate(1), candidate(1)], 0],
])('chooses %s', (_what, candidates, chosen) => {
  expect(chooseOfTwo(candidates, 0, () => 0)).toBe(candidates[chosen]);
});

it('draws two that differ, whatever chance says', () => {
  const candidates = [candidate(1, 1), candidate(2, 1)];
  expect(chooseOfTwo(candidates, 0, () => 0.999)).toBe(candidates[0]);
});
