import type { PackingAdvisor } from './packing-advisor.ts';

interface WaitingPlace {
  enter(): void;
  leave(): void;
}

/** Calls that wait for their turn, by model, looked at again whenever the advice for it may have changed. */
export class WaitingCalls {
  readonly #models = new Map<string, Set<() => void>>();

  constructor(advisor: PackingAdvisor) {
    advisor.watch((model) => {
      for (const look of [...(this.#models.get(model) ?? [])]) look();
    });
  }

  /** A place that a call may enter and leave any number of times; `look` is called when it enters, too. */
  place(model: string, look: () => void): WaitingPlace {
    return {
      enter: () => {
        const calls = this.#models.get(model) ?? new Set();
        calls.add(look);
        this.#models.set(model, calls);
        look();
      },
      leave: () => {
        const calls = this.#models.get(model);
        calls?.delete(look);
        if (calls?.size === 0) this.#models.delete(model);
      },
    };
  }
}
