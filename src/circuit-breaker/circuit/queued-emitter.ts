import { Emitter } from '../../internal/emitter.ts';

/** An event's name and its payload. */
export type EventOf<Events extends object> = {
  readonly [Name in keyof Events]: readonly [name: Name, payload: Events[Name]];
}[keyof Events];

/**
 * An emitter whose listeners all get the events in one order: an event that a listener causes is emitted after the
 * present one.
 */
export class QueuedEmitter<Events extends object> extends Emitter<Events> {
  readonly #queue: EventOf<Events>[] = [];
  #emitting = false;

  override emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    this.emitAll([name, payload]);
  }

  /** Emits the events of one change with no other event between them. */
  emitAll(...events: readonly EventOf<Events>[]): void {
    this.#queue.push(...events.filter(([name]) => this.has(name)));
    if (this.#emitting) return;
    this.#emitting = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      super.emit(next[0], next[1]);
    }
    this.#emitting = false;
  }

  override clear(): void {
    this.#queue.length = 0;
    super.clear();
  }
}
