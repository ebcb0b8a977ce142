import { Deferred } from '../../internal/async/deferred.ts';
import { onAbort } from '../../internal/async/signals.ts';
import { type FlightContext, type FlightResult, SingleFlight } from '../../internal/async/single-flight.ts';
import { tagsThatFit } from '../entries/cache-input.ts';
import type { Filled } from './produce-value.ts';

/** Work on a key, as those see it who want its value too. */
interface Work {
  readonly startedAtMs: number;
  readonly tags: readonly string[];
  /** Resolved when it has ended, and when nobody may follow it any more. */
  readonly over: Deferred<void>;
  /** Tags of each who waits for its end. */
  readonly waiting: Set<readonly string[]>;
  /** What the next work is to carry, from its end on. */
  next: ReadonlySet<string> | undefined;
}

export interface WorkRequest {
  readonly key: string;
  readonly tags: readonly string[];
  readonly nowMs: number;
  /** Takes this one caller out. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Work that can be followed, one a key, by those whose tags it carries: the version of any other tag was not taken
 * before it began, so what it makes may be older than an invalidation that they rely on. Who wants other tags waits for
 * its end, and all who waited share the next.
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
   * these, and those of all others who wait for it, or of the first of them where all are too many. Rejects with the
   * signal's reason.
   */
  wait(key: string, tags: readonly string[], signal: AbortSignal | undefined): Promise<readonly string[]> | undefined {
    const work = this.has(key) ? this.#works.get(key) : undefined;
    if (work === undefined || tags.every((tag) => work.tags.includes(tag))) return undefined;
    work.waiting.add(tags);
    return new Promise<readonly string[]>((resolve, reject) => {
      const detach = onAbort(signal, (reason) => {
        work.waiting.delete(tags);
        reject(reason);
      });
      // One way for all, with a signal or without: the first to wait is the first to begin.
      void work.over.promise.then(() => {
        detach();
        // Once, and not by each of them: many may wait.
        work.next ??= tagsThatFit(work.waiting);
        const { next } = work;
        resolve(tags.every((tag) => next.has(tag)) ? [...next] : tags);
      });
    });
  }

  /** Follows the work on the key, or begins it. */
  run(
    { key, tags, nowMs, signal }: WorkRequest,
    fill: (context: FlightContext) => Promise<Filled>,
  ): Promise<FlightResult<Filled>> {
    const begin = async (context: FlightContext) => {
      const over = new Deferred<void>();
      const work: Work = { startedAtMs: nowMs, tags, over, waiting: new Set(), next: undefined };
      this.#works.set(key, work);
      try {
        return await fill(context);
      } finally {
        if (this.#works.get(key) === work) {
          this.#works.delete(key);
          // Now, and not when its followers are told: who waited for the end is not to follow what has ended.
          this.#flights.forget(key);
        }
        over.resolve();
      }
    };
    return this.#flights.run(key, begin, { signal });
  }
}
