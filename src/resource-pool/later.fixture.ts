import type { Clock } from '../internal/clock.ts';

/** Settles after some milliseconds as `make` does then. */
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
