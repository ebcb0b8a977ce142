import { describe, expect, it } from 'vitest';
import { allocatedBytes } from './allocated-bytes.ts';
import { collectGarbage } from './collect-garbage.ts';

const kept: unknown[] = [];

const fill = (arrays: number, collects: boolean) =>
  allocatedBytes(async () => {
    for (let index = 0; index < arrays; index += 1) {
      // Eight bytes an element, or four with compressed pointers.
      kept[0] = new Array(1_000).fill(index + 0.5);
      if (collects && index % 100 === 0) collectGarbage();
    }
  });

describe('allocatedBytes', () => {
  it('counts what was allocated, whatever was collected in between', async () => {
    collectGarbage();
    const MIN = 4_000 * 2_000;
    expect(await fill(2_000, false)).toBeGreaterThan(MIN);
    expect(await fill(2_000, true)).toBeGreaterThan(MIN);
    expect(await fill(2_000, true)).toBeLessThan(10 * MIN);
  });

  it('sees next to nothing where nothing is allocated', async () => {
    collectGarbage();
    expect(await allocatedBytes(async () => {})).toBeLessThan(100_000);
  });
});
