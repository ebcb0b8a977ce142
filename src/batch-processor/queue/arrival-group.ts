import { Deferred } from '../../internal/async/deferred.ts';

/** The items accepted between two flushes, counted, so that a flush can wait for exactly those before it. */
export class Cohort {
  #pending = 0;
  #drained: Deferred<void> | undefined;

  get pending(): number {
    return this.#pending;
  }

  enter(): void {
    this.#pending += 1;
  }

  leave(): void {
    this.#pending -= 1;
    if (this.#pending === 0) this.#drained?.resolve();
  }

  /** Resolves once every item that entered has left. */
  drained(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    this.#drained ??= new Deferred();
    return this.#drained.promise;
  }
}
