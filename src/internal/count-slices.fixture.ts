import { vi } from 'vitest';
import { loopSlices } from './async/loop-slices.ts';
import { systemClock } from './clock.ts';

export interface SliceCounts {
  /** Number of slices while no time passes: more than one means that the work slices by size. */
  readonly still: number;
  /** Number of slices where each slice ends at once: the number of pieces of work. */
  readonly pieces: number;
}

/** Later than the end of any earlier slice. */
let nowMs = systemClock.now();

/** Runs `work` twice, on a clock that stands still and on one that races, and counts the slices that it takes. */
export async function countSlices(work: () => Promise<unknown>): Promise<SliceCounts> {
  const realMs = systemClock.now();
  nowMs += 1e9;
  let stepMs = 0;
  const now = vi.spyOn(systemClock, 'now').mockImplementation(() => (nowMs += stepMs));
  const next = vi.spyOn(loopSlices, 'next');
  try {
    await work();
    const still = next.mock.calls.length;
    stepMs = 1_000;
    await work();
    return { still, pieces: next.mock.calls.length - still };
  } finally {
    // Ends with a slice of the real time, because the present one would last for years.
    now.mockImplementation(() => realMs - 1_000);
    await loopSlices.next();
    now.mockRestore();
    next.mockRestore();
  }
}
