import type { Mutant } from './mutant.ts';

/** Faults of pool, connection, exchange and monitor. */
export const PART_MUTANTS: readonly Mutant[] = [
  {
    id: 'double-release-unnoticed',
    fault: 'A lease that has ended may be released again.',
    folders: ['resource-pool'],
    plantings: [
      {
        find: /if \(slot === undefined\)\s*throw new LeaseError\(`this lease was/,
        replace: 'if (slot === undefined) return; if (Math.PI < 3) throw new LeaseError(`this lease was',
      },
    ],
  },
  {
    id: 'oldest-lent-first',
    fault: 'The resource that was idle longest is lent first, so that none grows old enough to go.',
    folders: ['resource-pool'],
    plantings: [{ find: 'else this.idle.push(slot);', replace: 'else this.idle.unshift(slot);' }],
  },
  {
    id: 'worn-out-kept',
    fault: 'A resource is kept beyond its most loans and its longest life.',
    folders: ['resource-pool'],
    plantings: [
      {
        find: `if (slot.uses >= maxUsageCount) this.retire(slot, 'usage');
          else if (slot.expiresAtMs <= slot.idleSinceMs) this.retire(slot, 'lifetime'); else if (!clean)`,
        replace: 'if (!clean)',
      },
      {
        find: `if (slot.uses >= maxUsageCount) this.retire(slot, 'usage');
          else if (slot.expiresAtMs <= slot.idleSinceMs) this.retire(slot, 'lifetime'); else if (clean)`,
        replace: 'if (clean)',
      },
      {
        find: 'const worn = wornOut(slot, slot.idleSinceMs, this.#options.maxUsageCount);',
        replace: 'const worn = undefined;',
      },
    ],
  },
  {
    id: 'pool-above-its-size',
    fault: 'Resources that are being made do not count for the size of the pool.',
    folders: ['resource-pool'],
    plantings: [
      { find: /this\.size >= this\.#(options|settings)\.maxSize/, replace: 'this.#live.size >= this.#$1.maxSize' },
    ],
  },
  {
    id: 'create-backoff-of-a-millisecond',
    fault: 'A factory that fails is called again after a millisecond.',
    folders: ['resource-pool'],
    plantings: [
      {
        find: 'this.#notBeforeMs = clock.now() + this.#lastDelayMs;',
        replace: 'this.#notBeforeMs = clock.now() + 1;',
      },
    ],
  },
  {
    id: 'retry-after-seconds-as-tenths',
    fault: 'The seconds of a Retry-After are taken for tenths of seconds.',
    folders: ['internal'],
    plantings: [
      { find: 'Math.min(seconds * 1000, MAX_TIMER_DELAY_MS)', replace: 'Math.min(seconds * 100, MAX_TIMER_DELAY_MS)' },
    ],
  },
  {
    id: 'limit-of-zero-believed',
    fault: 'A limit of zero in the headers, as of Azure, is believed.',
    folders: ['openai'],
    plantings: [
      {
        find: 'if (limit === undefined || limit === 0) return undefined;',
        replace: 'if (limit === undefined) return undefined;',
      },
    ],
  },
  {
    id: 'refused-parameter-forgotten',
    fault: 'A parameter that a server refuses is sent again with each request.',
    folders: ['openai'],
    plantings: [{ find: 'for (const parameter of found) known.set(parameter, tryAtMs);', replace: '' }],
  },
  {
    id: 'refused-key-forgotten',
    fault: 'A health check beside a refused one makes the key good again.',
    folders: ['openai'],
    plantings: [{ find: /if \(this\.closedForMs === 0\) (this\.#?\w+ = 0;)/, replace: '$1' }],
  },
  {
    id: 'redirect-as-answer',
    fault: 'An answer with a status of 3xx is read as a completion.',
    folders: ['openai'],
    plantings: [
      { find: /(status < 200 \|\| status > )299(\) \{[^}]*statusError\()/, replace: '$1399$2' },
      { find: 'answer.status < 200 || answer.status > 299', replace: 'answer.status < 200 || answer.status > 399' },
    ],
  },
  {
    id: 'bound-not-in-bucket',
    fault: 'A value that equals the bound of a bucket counts above it.',
    folders: ['performance-monitor'],
    plantings: [
      { find: 'value > (buckets[bucket] ?? 0)', replace: 'value >= (buckets[bucket] ?? 0)' },
      { find: 'value > (bounds[index] ?? 0)', replace: 'value >= (bounds[index] ?? 0)' },
    ],
  },
  {
    id: 'milliseconds-as-seconds',
    fault: 'Milliseconds are exposed as if they were seconds.',
    folders: ['performance-monitor'],
    plantings: [{ find: "{ suffix: 'seconds', factor: 0.001 }", replace: "{ suffix: 'seconds', factor: 1 }" }],
  },
];
