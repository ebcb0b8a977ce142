import { Emitter } from '../internal/emitter.ts';

/** An emitter for state changes: what a listener causes is told after what it was told, to everybody in one order. */
export class OrderedEvents<Events extends object> extends Emitter<Events> {
  readonly #waiting: (() => void)[] = [];
  #emitting = false;

  override emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    if (!this.has(name)) return;
    this.#waiting.push(() => super.emit(name, payload));
    if (this.#emitting) return;
    this.#emitting = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next();
    this.#emitting = false;
  }
}
