// Keeps one core busy until its parent ends it, or dies. In slices, so that it hears of that.
const SLICE_MS = 50;
let state = 1;

function burn(): void {
  const endAtMs = performance.now() + SLICE_MS;
  while (performance.now() < endAtMs) state = (Math.imul(state, 48_271) + 1) | 0;
  setImmediate(burn);
}

process.on('disconnect', () => process.exit(0));
burn();
