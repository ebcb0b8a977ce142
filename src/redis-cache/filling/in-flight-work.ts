import { onAbort } from '../../internal/async/signals.ts';
import {
  type FlightContext,
  type FlightOptions,
  type FlightResult,
  SingleFlight,
} from '../../internal/async/single-flight.ts';
import { tagsThatFit } from '../entries/cache-input.ts';
import type { Produced } from './produce-value.ts';

interface Work {
  readonly startedAtMs: number;
  readonly tags: readonly string[];
  /** Callers that wait for its end, in their order. */
  readonly waiting: Set<WaitingCall>;
}

interface WaitingCall {
  readonly tags: readonly string[];
  /** Resumes with the tags of all waiting calls, as far as they fit on one entry. */
  readonly resume: (tags: ReadonlySet<string>) => void;
}

export interface WorkRequest {
  readonly key: string;
  readonly tags: readonly string[];
  readonly nowMs: number;
  /** Its abort ends this caller's wait. */
  readonly signal: AbortSignal | undefined;
  readonly onShared: FlightOptions['onShared'];
}

/**
 * The work on each key. A call may join work that has all of its tags. The version of another tag was not read before
 * the work began, so its value may be older than an invalidation of that tag. A call with another tag waits for the end
 * of the work. All waiting calls share the next work.
 */
export class InFlightWork {
  readonly #flights = new SingleFlight<Produced>();
  readonly #works = new Map<string, Work>();

  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /** When the work on a key began, if it can be joined. */
  startedAtMs(key: string): number | undefined {
    return this.#joinable(key)?.startedAtMs;
  }

  /** Makes later calls of `key` start new work. */
  forget(key: string): void {
    this.#flights.forget(key);
    const work = this.#works.get(key);
    if (work !== undefined && work.waiting.size > 0) resumeAll(work);
  }

  /**
   * Undefined when work with these tags can be joined or begun. Else a promise that resolves once work can begin, with
   * its tags: those of all waiting calls, or these alone where all are too many. It rejects with the signal's reason.
   */
  wait(key: string, tags: readonly string[], signal: AbortSignal | undefined): Promise<readonly string[]> | undefined {
    const work = this.#joinable(key);
    if (work === undefined || tags.every((tag) => work.tags.includes(tag))) return undefined;
    return new Promise<readonly string[]>((resolve, reject) => {
      const call: WaitingCall = {
        tags,
        resume: (all) => {
          detach();
          resolve(tags.every((tag) => all.has(tag)) ? [...all] : tags);
        },
      };
      work.waiting.add(call);
      const detach = onAbort(signal, (reason) => {
        work.waiting.delete(call);
        reject(reason);
      });
    });
  }

  /** Joins the work on the key, or begins it. */
  run(
    { key, tags, nowMs, signal, onShared }: WorkRequest,
    produce: (context: FlightContext) => Promise<Produced>,
  ): Promise<FlightResult<Produced>> {
    const begin = async (context: FlightContext) => {
      const work: Work = { startedAtMs: nowMs, tags, waiting: new Set() };
      this.#works.set(key, work);
      try {
        return await produce(context);
      } finally {
        if (this.#works.get(key) === work) {
          this.#works.delete(key);
          // First of all, because waiting calls must not join work that has ended.
          this.#flights.forget(key);
        }
        if (work.waiting.size > 0) resumeAll(work);
      }
    };
    return this.#flights.run(key, begin, { signal, onShared });
  }

  #joinable(key: string): Work | undefined {
    const work = this.#works.get(key);
    return work !== undefined && this.#flights.has(key) ? work : undefined;
  }
}

function resumeAll({ waiting }: Work): void {
  const calls = [...waiting];
  waiting.clear();
  const all = tagsThatFit(calls.map(({ tags }) => tags));
  for (const { resume } of calls) resume(all);
}
