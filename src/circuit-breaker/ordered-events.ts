import { Emitter } from '../internal/emitter.ts';

/** One event of a kind and its payload. */
export type EventOf<Events extends object> = {
  readonly [Name in keyof Events]: readonly [name: Name, payload: Events[Name]];
}[keyof Events];

/**
 * An emitter whose listeners all hear the events in one order: what a listener sets off is told after what it was told.
 */
export class OrderedEvents<Events extends object> extends Emitter<Events> {
  readonly #waiting: EventOf<Events>[] = [];
  #emitting = false;

  override emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    this.emitAll([name, payload]);
  }

  /** Emits several events of one change, with nothing of a listener's in between. */
  emitAll(...events: readonly EventOf<Events>[]): void {
    this.#waiting.push(...events.filter(([name]) => this.has(name)));
    if (this.#emitting) return;
    this.#emitting = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      super.emit(next[0], next[1]);
    }
    this.#emitting = false;
  }

  override clear(): void {
    this.#waiting.length = 0;
    super.clear();
  }
}
