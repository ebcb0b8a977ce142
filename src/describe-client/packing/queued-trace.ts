import type { Clock } from '../../internal/clock.ts';
import type { AttemptSink } from '../call/call-trace.ts';

/** A sink that also tells when its call enters a line, and how long it was in it. */
export const sinkInLine = (
  sink: AttemptSink,
  clock: Clock,
  { enters, leaves }: { readonly enters?: () => void; readonly leaves: (waitMs: number) => void },
): AttemptSink => ({
  beginAttempt: (endpoint, details) => sink.beginAttempt(endpoint, details),
  retries: (delayMs) => sink.retries(delayMs),
  givesUp: (reason) => sink.givesUp(reason),
  waits: () => {
    const end = sink.waits();
    const sinceMs = clock.now();
    let over = false;
    enters?.();
    return () => {
      if (over) return;
      over = true;
      end();
      leaves(clock.now() - sinceMs);
    };
  },
});
