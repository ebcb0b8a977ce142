import { GCProfiler, getHeapStatistics } from 'node:v8';

/**
 * Bytes that were allocated on the JavaScript heap while `work` ran. Each collection tells how much was in use before
 * and after it: what was allocated is the sum of the rises between collections. Memory outside the heap, such as that
 * of a `Buffer`, is not counted.
 */
export async function allocatedBytes(work: () => Promise<unknown>): Promise<number> {
  const profiler = new GCProfiler();
  profiler.start();
  let floor = getHeapStatistics().used_heap_size;
  await work();
  const end = getHeapStatistics().used_heap_size;
  let allocated = 0;
  for (const { beforeGC, afterGC } of profiler.stop().statistics) {
    allocated += beforeGC.heapStatistics.usedHeapSize - floor;
    floor = afterGC.heapStatistics.usedHeapSize;
  }
  return Math.max(0, allocated + end - floor);
}
