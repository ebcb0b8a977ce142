import { Deferred } from '../internal/deferred.ts';
import { mergeTags } from './cache-input.ts';
import type { Filled } from './filler.ts';
import { type FlightContext, type FlightResult, SingleFlight } from './single-flight.ts';

/** Work on a key, as those see it who want its value too. */
interface Work {
  readonly startedAtMs: number;
  readonly tags: readonly string[];
  /** Resolved when it has ended, and when nobody may follow it any more. */
  readonly over: Deferred<void>;
  /** Tags of those who wait for its end, for the next work to carry. */
  readonly wanted: Set<string>;
}

export interface WorkRequest {
  readonly key: string;
  readonly tags: readonly string[];
  readonly nowMs: number;
  /** Takes this one caller out. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Work that can be followed, one a key, by those whose tags it carries: the version of any other tag was not taken before
 * it began, so what it makes may be older than an invalidation that they rely on. Who wants other tags waits for its end,
 * and all who waited share the next.
 */
export class WorkLine {
  readonly #flights = new SingleFlight<Filled>();
  readonly #works = new Map<string, Work>();

  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /** When the work on a key began that can be followed. */
  startedAtMs(key: string): number | undefined {
    return this.has(key) ? this.#works.get(key)?.startedAtMs : undefined;
  }

  /** Lets later callers of `key` start anew. */
  forget(key: string): void {
    this.#flights.forget(key);
    this.#works.get(key)?.over.resolve();
  }

  /**
   * Undefined when work with these tags can be followed or begun. Else the tags to begin it with once that is possible:
   * these, and those of all others who waited with it, where they are not too many.
   */
  wait(key: string, tags: readonly string[]): Promise<readonly string[]> | undefined {
    const work = this.has(key) ? this.#works.get(key) : undefined;
    if (work === undefined || tags.every((tag) => work.tags.includes(tag))) return undefined;
    for (const tag of tags) work.wanted.add(tag);
    return work.over.promise.then(() => mergeTags(tags, work.wanted));
  }

  /** Follows the work on the key, or begins it. */
  run(
    { key, tags, nowMs, signal }: WorkRequest,
    fill: (context: FlightContext) => Promise<Filled>,
  ): Promise<FlightResult<Filled>> {
    const begin = async (context: FlightContext) => {
      const work: Work = { startedAtMs: nowMs, tags, over: new Deferred(), wanted: new Set() };
      this.#works.set(key, work);
      try {
        return await fill(context);
      } finally {
        if (this.#works.get(key) === work) {
          this.#works.delete(key);
          // Now, and not when its followers are told: who waited for the end is not to follow what has ended.
          this.#flights.forget(key);
        }
        work.over.resolve();
      }
    };
    return this.#flights.run(key, begin, { signal });
  }
}
