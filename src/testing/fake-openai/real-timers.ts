// Taken at load, so that a test which fakes the globals later doesn't stop the server.
const realSetTimeout = setTimeout;
const realSetImmediate = setImmediate;

/** Resolves after that time. */
export const realPause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    realSetTimeout(resolve, ms);
  });

/** Resolves in the next turn of the event loop, after what is due in this one. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    realSetImmediate(resolve);
  });
