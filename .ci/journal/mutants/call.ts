import type { Mutant } from './mutant.ts';

/** Faults of one call: admission, deadline, key, result. */
export const CALL_MUTANTS: readonly Mutant[] = [
  {
    id: 'memory-bound-doubled',
    fault: 'Images of twice the bound are held in memory.',
    folders: ['describe-client'],
    plantings: [
      {
        find: 'shared.bytes === 0 || shared.bytes + bytes <= shared.limits.maxBytesInFlight',
        replace: 'shared.bytes === 0 || shared.bytes + bytes <= 2 * shared.limits.maxBytesInFlight',
      },
      {
        find: 'this.#held.bytes + bytes <= this.#limits.maxBytesInFlight',
        replace: 'this.#held.bytes + bytes <= 2 * this.#limits.maxBytesInFlight',
      },
      {
        find: 'this.#bytes + bytes <= this.#maxBytesInFlight',
        replace: 'this.#bytes + bytes <= 2 * this.#maxBytesInFlight',
      },
    ],
  },
  {
    id: 'one-call-too-many',
    fault: 'One call more than the bound is let in.',
    folders: ['describe-client'],
    plantings: [
      { find: 'if (free <= 0 || (', replace: 'if (free < 0 || (' },
      { find: 'if (this.#held.calls >= maxQueuedCalls) {', replace: 'if (this.#held.calls > maxQueuedCalls) {' },
      { find: 'if (this.#calls >= this.#maxQueuedCalls) {', replace: 'if (this.#calls > this.#maxQueuedCalls) {' },
    ],
  },
  {
    id: 'deadline-doubled',
    fault: 'The queue and the retry believe in twice the time of a call.',
    folders: ['describe-client'],
    plantings: [
      {
        find: 'const deadlineAtMs = clock.now() + timeoutMs;',
        replace: 'const deadlineAtMs = clock.now() + 2 * timeoutMs;',
      },
      {
        find: 'const deadlineAtMs = (startedAtMs ?? this.#clock.now()) + timeoutMs;',
        replace: 'const deadlineAtMs = (startedAtMs ?? this.#clock.now()) + 2 * timeoutMs;',
      },
    ],
  },
  {
    id: 'metadata-lost',
    fault: 'The metadata of a request is not returned with its result.',
    folders: ['describe-client'],
    plantings: [{ find: /\.\.\.\(metadata === undefined \? \{\} : \{ metadata \}\),\s*explain/, replace: 'explain' }],
  },
  {
    id: 'detail-not-in-key',
    fault: 'Descriptions of one image in different detail share a cache entry.',
    folders: ['describe-client'],
    plantings: [{ find: 'prompt, detail, schema?.name,', replace: 'prompt, schema?.name,' }],
  },
  {
    id: 'joined-call-shares-failure',
    fault: 'A call that joined another fails with it although it would fare better alone.',
    folders: ['describe-client'],
    plantings: [
      { find: 'return isFirst && maySucceedAlone(error);', replace: 'return false;' },
      {
        find: 'if (!this.#isOwner && !isOver && maySucceedAlone(error)) return this.#read(taken, key);',
        replace: '',
      },
      {
        find: 'if (!this.#isOwner && !this.#bounds.signal.aborted && maySucceedAlone(error)) return this.#read(taken, key);',
        replace: '',
      },
      {
        find: 'if (!flight.isOwner && !bounds.signal.aborted && mayFareBetter(error)) return flight.obtain(taken);',
        replace: '',
      },
    ],
  },
  {
    id: 'invalidated-work-joined',
    fault: 'A call after an invalidation joins work from before it.',
    folders: ['describe-client'],
    plantings: [{ find: 'for (const key of dropped) flights.forget(key);', replace: '' }],
  },
  {
    id: 'only-if-cached-falls-back',
    fault: 'A call that wants only what is cached is answered by a fallback.',
    folders: ['describe-client'],
    plantings: [
      {
        find: "fallback !== undefined && !fillsCache && cache !== 'only-if-cached'",
        replace: 'fallback !== undefined && !fillsCache',
      },
      {
        find: "if (fallback === undefined || request.fillsCache || request.cache === 'only-if-cached') {",
        replace: 'if (fallback === undefined || request.fillsCache) {',
      },
      {
        find: /(!(?:request\.)?fillsCache) && request\.cache !== 'only-if-cached'/,
        replace: '$1',
      },
    ],
  },
];
