import { setImmediate } from 'node:timers/promises';

/** Lets timers and sockets of the process run, before the next piece of a long computation. */
export const yieldToLoop = (): Promise<void> => setImmediate();
