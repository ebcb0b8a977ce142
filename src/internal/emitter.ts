import { callSafely } from './async/user-callback.ts';

/** Removes a listener: call it, or let `using` dispose of it. Idempotent. */
export interface Unsubscribe extends Disposable {
  (): void;
}

export type Listener<Payload> = (payload: Payload) => void;

/**
 * Typed events. An error or a rejection of a listener never reaches the emitter. There is no magic `error` event.
 */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** Calls `listener` on every later event of that name. The same function subscribes once. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): Unsubscribe {
    const listeners = this.#listeners.get(name) ?? new Set();
    listeners.add(listener as Listener<never>);
    this.#listeners.set(name, listeners);
    const unsubscribe = () => {
      listeners.delete(listener as Listener<never>);
    };
    return Object.assign(unsubscribe, { [Symbol.dispose]: unsubscribe });
  }

  /** Tells whether an event of that name has a listener. Use it to skip building a payload. */
  has(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  /** Calls every listener of that name with `payload`, in the order of subscription. Never throws. */
  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined || listeners.size === 0) return;
    for (const listener of [...listeners]) callSafely(listener as Listener<Events[Name]>, payload);
  }

  /** Removes every listener. */
  clear(): void {
    this.#listeners.clear();
  }
}
