import { callSafely } from './user-callback.ts';

/**
 * Makes a callback that holds its owner weakly. A pending timer or an open socket then does not keep an abandoned owner
 * alive. Once the owner is collected, the callback does nothing.
 *
 * @param run - Must capture nothing that reaches the owner; a function of the module is safe.
 */
export function weakly<Owner extends object, Given extends readonly unknown[] = []>(
  owner: Owner,
  run: (owner: Owner, ...given: Given) => void,
): (...given: Given) => void {
  const reference = new WeakRef(owner);
  return (...given) => {
    const alive = reference.deref();
    if (alive !== undefined) run(alive, ...given);
  };
}

const registry = new FinalizationRegistry<() => unknown>((cleanUp) => callSafely(cleanUp, undefined));

/**
 * Runs `cleanUp` some time after `owner` was collected without `forgetAbandoned`, so that an abandoned owner closes its
 * sockets.
 *
 * @param cleanUp - Must capture nothing that reaches the owner, or neither is ever collected.
 */
export const onAbandoned = (owner: object, cleanUp: () => unknown): void => {
  registry.register(owner, cleanUp, owner);
};

/** Cancels the clean-up of an owner that was closed. */
export const forgetAbandoned = (owner: object): void => {
  registry.unregister(owner);
};
