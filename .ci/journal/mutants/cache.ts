import type { Mutant } from './mutant.ts';

/** Faults of cache, single flight, tags, Redis. */
export const CACHE_MUTANTS: readonly Mutant[] = [
  {
    id: 'leaving-caller-ends-work',
    fault: 'One caller that leaves aborts the work that others wait for.',
    folders: ['redis-cache', 'internal'],
    plantings: [{ find: /if \(flight\.(waiters|callers) > 0\) return;/, replace: '' }],
  },
  {
    id: 'flights-never-joined',
    fault: 'Calls of one key at one time each do the work.',
    folders: ['redis-cache', 'internal'],
    plantings: [{ find: 'const running = this.#flights.get(key);', replace: "const running = this.#flights.get('');" }],
  },
  {
    id: 'stale-is-fresh',
    fault: 'An expired entry within its grace is taken for a fresh one.',
    folders: ['redis-cache'],
    plantings: [{ find: 'fresh: nowMs < entry.freshUntilMs', replace: 'fresh: true' }],
  },
  {
    id: 'grace-without-end',
    fault: 'An entry of Redis is believed after the end of its grace.',
    folders: ['redis-cache'],
    plantings: [{ find: 'if (nowMs >= entry.staleUntilMs) return;', replace: '' }],
  },
  {
    id: 'invalidated-tag-known',
    fault: 'A tag that was invalidated is still believed by this process.',
    folders: ['redis-cache'],
    plantings: [
      { find: 'this.#known.delete(tag); this.guard.removed(tag);', replace: 'this.guard.removed(tag);' },
      { find: 'this.#known.delete(tag); this.#guard.removed(tag);', replace: 'this.#guard.removed(tag);' },
    ],
  },
  {
    id: 'superseded-is-stored',
    // Without the `else` the next line would belong to the `if` before it, and work would only be doubted.
    fault: 'What was made before a removal by this process is stored after it.',
    folders: ['redis-cache'],
    plantings: [
      {
        find: 'if (here) work.superseded = true; else work.doubted = true;',
        replace: 'if (!here) work.doubted = true;',
      },
    ],
  },
  {
    id: 'failed-refresh-repeated',
    fault: 'A refresh that failed is tried again by the next reader at once.',
    folders: ['redis-cache'],
    plantings: [
      {
        find: 'const untilMs = this.#pair.clock.now() + this.#pair.options.refreshThrottleMs;',
        replace: 'const untilMs = this.#pair.clock.now();',
      },
      {
        find: 'const untilMs = this.#pair.clock.now() + refreshThrottleMs;',
        replace: 'const untilMs = this.#pair.clock.now();',
      },
      { find: 'const untilMs = this.#pair.nowMs + refreshThrottleMs;', replace: 'const untilMs = this.#pair.nowMs;' },
      {
        find: 'const untilMs = this.#tiers.nowMs + this.#tiers.options.refreshThrottleMs;',
        replace: 'const untilMs = this.#tiers.nowMs;',
      },
    ],
  },
  {
    id: 'lease-not-kept-alive',
    fault: 'The lease of long work expires while it goes on.',
    folders: ['redis-cache'],
    plantings: [{ find: 'this.#leaseMs / 3', replace: 'this.#leaseMs * 3' }],
  },
  {
    id: 'entries-live-twice-as-long',
    fault: 'A computed entry lives twice as long as asked.',
    folders: ['redis-cache'],
    plantings: [
      {
        find: 'const ttlMs = Math.max(1, Math.round(request.ttlMs * (1 - options.random() * options.ttlJitterRatio)));',
        replace: 'const ttlMs = Math.round(2 * request.ttlMs);',
      },
      {
        find: 'const ttlMs = Math.max(1, Math.round(request.ttlMs * (1 - Math.random() * options.ttlJitterRatio)));',
        replace: 'const ttlMs = Math.round(2 * request.ttlMs);',
      },
      {
        find: 'const lifeMs = Math.max(1, Math.round(ttlMs * (1 - Math.random() * options.ttlJitterRatio)));',
        replace: 'const lifeMs = Math.round(2 * ttlMs);',
      },
    ],
  },
  {
    id: 'failure-stored-over-stale',
    fault: 'A failure is remembered in place of the stale value.',
    folders: ['redis-cache'],
    plantings: [
      { find: 'request.replaced !== undefined ? undefined : negativeTtlMs(', replace: 'negativeTtlMs(' },
      {
        find: 'request.hasStale ? undefined : negativeTtlMs(',
        replace: 'negativeTtlMs(',
      },
    ],
  },
  {
    id: 'large-values-stored',
    fault: 'A value above the size limit is stored.',
    folders: ['redis-cache'],
    plantings: [{ find: 'if (isTooLarge(encoded, options)) throw tooLarge(options);', replace: '' }],
  },
  {
    id: 'outage-forgotten',
    fault: 'After an outage Redis is believed about keys that were removed meanwhile.',
    folders: ['redis-cache'],
    plantings: [{ find: 'if (link.outage.distrusts(key)) return this.#lastResort(key, record);', replace: '' }],
  },
];
