import type { Mutant } from './mutant.ts';

/** Faults of packs and batches. */
export const PACK_MUTANTS: readonly Mutant[] = [
  {
    id: 'duplicate-answer-believed',
    fault: 'The second of two answers under one id is believed.',
    folders: ['batch-processor'],
    plantings: [{ find: 'const part = seen.has(id) ? undefined : partOf(', replace: 'const part = partOf(' }],
  },
  {
    id: 'invented-answer-kept',
    // Only to keep it under its own id would change nothing: answers are looked up by the ids that were asked for.
    fault: 'An answer under an id that was not asked for is given to an image that has none yet.',
    folders: ['batch-processor'],
    plantings: [
      {
        find: "const { id } = item; if (typeof id !== 'string' || !wanted.has(id)) continue;",
        replace: `if (typeof item.id !== 'string') continue;
          const id = wanted.has(item.id) ? item.id : ([...wanted.keys()].find((asked) => !seen.has(asked)) ?? '');`,
      },
    ],
  },
  {
    id: 'failed-batch-frees-place',
    fault: 'A batch that failed as a whole lets the next one meet the same outage.',
    folders: ['batch-processor'],
    plantings: [
      {
        find: 'this.#delay(again, errors, run.attempt, again.length === waiting && !run.answered);',
        replace: 'this.#delay(again, errors, run.attempt, false);',
      },
    ],
  },
  {
    id: 'empty-batch-runs-on',
    fault: 'A handler is not aborted when the last item of its batch has left.',
    folders: ['batch-processor'],
    plantings: [{ find: 'if (this.#live === 0) { this.#abort(reason);', replace: 'if (this.#live === 0) {' }],
  },
  {
    id: 'flush-waits',
    fault: 'flush() does not end the wait of items for a full batch.',
    folders: ['batch-processor'],
    plantings: [{ find: 'this.#queue.expireThrough(sequence);', replace: '' }],
  },
  {
    id: 'fresh-before-retried',
    fault: 'Fresh batches go before those that wait for their retry.',
    folders: ['batch-processor'],
    plantings: [{ find: 'this.#nextRetry() ?? this.#nextFresh()', replace: 'this.#nextFresh() ?? this.#nextRetry()' }],
  },
  {
    id: 'results-not-counted',
    fault: 'A handler that gives too few results is believed.',
    folders: ['batch-processor'],
    plantings: [
      {
        find: 'if (Array.isArray(results) && results.length === this.items.length) {',
        replace: 'if (Array.isArray(results)) {',
      },
    ],
  },
  {
    id: 'usage-parts-do-not-add-up',
    fault: 'The parts of a usage that is split are rounded down.',
    folders: ['batch-processor'],
    plantings: [{ find: 'parts[index] = (parts[index] ?? 0) + 1; left -= 1;', replace: 'left -= 1;' }],
  },
];
