/**
 * Lets long work go in pieces: each call resolves in a turn of the event loop of its own, whoever asks, so that many
 * at work at once don't add up to one long block. Do about a millisecond of work between two calls.
 */
export function nextTurn(): Promise<void> {
  return new Promise<void>((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(serveOne);
  });
}

const waiting: (() => void)[] = [];

function serveOne(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(serveOne);
}
