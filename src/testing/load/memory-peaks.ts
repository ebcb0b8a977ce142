import type { LoadMemory } from './load-figures.ts';

/** The highest readings of this process's memory. */
export class MemoryPeaks {
  #peaks: LoadMemory = { heapAndBuffersBytes: 0, heapUsedBytes: 0, externalBytes: 0, rssBytes: 0 };

  sample(): void {
    const { heapUsed, external, rss } = process.memoryUsage();
    const { heapAndBuffersBytes, heapUsedBytes, externalBytes, rssBytes } = this.#peaks;
    this.#peaks = {
      heapAndBuffersBytes: Math.max(heapAndBuffersBytes, heapUsed + external),
      heapUsedBytes: Math.max(heapUsedBytes, heapUsed),
      externalBytes: Math.max(externalBytes, external),
      rssBytes: Math.max(rssBytes, rss),
    };
  }

  peaks(): LoadMemory {
    return this.#peaks;
  }
}
