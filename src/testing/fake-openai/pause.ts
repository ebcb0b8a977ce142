import type { ServerResponse } from 'node:http';
import type { Clock } from '../../internal/clock.ts';

/** Resolves after that time, or as soon as the client is gone. */
export function pauseFor(response: ServerResponse, ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) {
      resolve();
      return;
    }
    const done = () => {
      clock.clearTimeout(timer);
      response.off('close', done);
      resolve();
    };
    const timer = clock.setTimeout(done, ms);
    response.once('close', done);
  });
}
