import { callSafely } from './user-callback.ts';

/**
 * Makes a callback that holds its owner only weakly. A pending timer or an open socket is reachable for as long as it
 * lives: through such a callback it does not keep alive an owner that nobody else holds. Once the owner was collected,
 * the callback does nothing.
 *
 * @param run - Must capture nothing that reaches the owner; a function of the module is safe.
 */
export function weakly<Owner extends object>(owner: Owner, run: (owner: Owner) => void): () => void {
  const reference = new WeakRef(owner);
  return () => {
    const alive = reference.deref();
    if (alive !== undefined) run(alive);
  };
}

const registry = new FinalizationRegistry<() => unknown>((cleanUp) => callSafely(cleanUp, undefined));

/**
 * Runs `cleanUp` some time after `owner` was collected without `forgetAbandoned`: what nobody closes lets its sockets
 * go.
 *
 * @param cleanUp - Must capture nothing that reaches the owner, or neither is ever collected.
 */
export const onAbandoned = (owner: object, cleanUp: () => unknown): void => {
  registry.register(owner, cleanUp, owner);
};

/** The owner was closed: nothing is left to clean up. */
export const forgetAbandoned = (owner: object): void => {
  registry.unregister(owner);
};
