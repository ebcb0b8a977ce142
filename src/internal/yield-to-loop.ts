import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../internal/clock.ts';
import { Deferred } from '../internal/deferred.ts';

/** How long pieces of work may follow each other before timers and sockets run again. */
const TURN_BUDGET_MS = 2;

const waiting: Deferred<void>[] = [];
let pumping = false;

/**
 * Lets timers and sockets of the process run before the next piece of a long computation. All computations share the
 * budget of a turn: were each merely to wait for the next one, the pieces of thirty images would run in one turn.
 */
export function yieldToLoop(): Promise<void> {
  const turn = new Deferred<void>();
  waiting.push(turn);
  if (!pumping) void pump();
  return turn.promise;
}

async function pump(): Promise<void> {
  pumping = true;
  while (waiting.length > 0) {
    await setImmediate();
    // Of the process, not a caller's: it measures this thread, whatever time a caller's clock shows.
    const endAtMs = systemClock.now() + TURN_BUDGET_MS;
    do {
      waiting.shift()?.resolve();
      // The piece runs here: its continuation was queued before this one.
      await undefined;
    } while (waiting.length > 0 && systemClock.now() < endAtMs);
  }
  pumping = false;
}
