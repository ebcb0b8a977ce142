import type { Clock } from '../internal/clock.ts';

/** Settles after some milliseconds with the result of `make` at that time. */
export const later = <Value>(clock: Clock, ms: number, make: () => Value): Promise<Value> =>
  new Promise((resolve, reject) => {
    clock.setTimeout(() => {
      try {
        resolve(make());
      } catch (error) {
        reject(error);
      }
    }, ms);
  });
