import DataLoader from 'dataloader';
import PQueue from 'p-queue';
import { BatchProcessor } from '../src/batch-processor/index.ts';
import { defineSuite, seededRandom } from './harness/index.ts';

const ITEMS = 2_000;
const BATCH = 100;
const TIMEOUT_MS = 60_000;
/** A slice is too short to compile in. After some hundred thousand items the optimiser has finished. */
const WARM_UP_MS = 600;

const square = async (values: readonly number[]) => values.map((value) => value * value);
const inputs = Array.from({ length: ITEMS }, (_, index) => index);
const random = seededRandom(8);
const priorities = inputs.map(() => Math.floor(random() * 10));
const priorityOf = (index: number) => priorities[index] ?? 0;

const isSquares = (results: unknown) =>
  Array.isArray(results) && results.length === ITEMS && results.every((result, index) => result === index * index);

/** Each contender answers all inputs at once and hands every caller its own result. */
function contenders() {
  const ours = new BatchProcessor(square, {
    batchSize: BATCH,
    maxConcurrentBatches: ITEMS / BATCH,
    maxQueueSize: ITEMS,
  });
  const loader = new DataLoader(square, { maxBatchSize: BATCH, cache: false });
  const queue = new PQueue({ concurrency: BATCH });
  const timedQueue = new PQueue({ concurrency: BATCH, timeout: TIMEOUT_MS });
  // One signal a call, like the signal of each request in a server; none aborts.
  const signals = inputs.map(() => new AbortController().signal);
  const signalOf = (index: number) => ({ signal: signals[index] });
  const all = (one: (value: number) => Promise<unknown>) => Promise.all(inputs.map(one));
  return {
    dataloader: () => all((value) => loader.load(value)),
    'p-queue': () => all((value) => queue.add(async () => value * value, { priority: priorityOf(value) })),
    'p-queue with signal and timeout': () =>
      all((value) => timedQueue.add(async () => value * value, { priority: priorityOf(value), ...signalOf(value) })),
    ours: () => all((value) => ours.process(value, { priority: priorityOf(value) })),
    'ours with signal and timeout': () =>
      all((value) => ours.process(value, { priority: priorityOf(value), timeoutMs: TIMEOUT_MS, ...signalOf(value) })),
  };
}

type Name = keyof ReturnType<typeof contenders>;

const comparison = (baseline: Name, ours: Name, maxRatio: number) =>
  defineSuite<ReturnType<typeof contenders>>({
    name: `batch processor: ${ours} against ${baseline}`,
    baseline,
    setup: contenders,
    warmUpMs: WARM_UP_MS,
    contenders: {
      [baseline]: { run: (made) => made[baseline](), operations: ITEMS },
      [ours]: { run: (made) => made[ours](), operations: ITEMS },
    },
    verify: isSquares,
    gates: { [ours]: maxRatio },
  });

/** Milliseconds from when the handler is free until this many queued items of mixed priority are answered. */
async function drain(count: number): Promise<{ readonly value: number }> {
  let free = () => {};
  const gate = new Promise<void>((resolve) => {
    free = resolve;
  });
  let answered = 0;
  const processor = new BatchProcessor(
    async (values: readonly number[]) => {
      await gate;
      answered += values.length;
      return values;
    },
    { batchSize: BATCH, maxQueueSize: count },
  );
  const results = Array.from({ length: count }, (_, index) =>
    processor.process(index, { priority: priorityOf(index % ITEMS) }),
  );
  await Promise.resolve();
  const startedAtMs = performance.now();
  free();
  const values = await Promise.all(results);
  const value = performance.now() - startedAtMs;
  if (answered !== count || values.some((result, index) => result !== index)) throw new Error('an item was lost');
  await processor.close();
  return { value };
}

export const suites = [
  comparison('dataloader', 'ours', 3),
  comparison('p-queue', 'ours', 0.3),
  comparison('p-queue with signal and timeout', 'ours with signal and timeout', 1),
  defineSuite({
    name: 'batch processor: draining ten times as much',
    baseline: '10,000 items',
    kind: 'growth',
    contenders: {
      '10,000 items': { sample: () => drain(10_000) },
      '100,000 items': { sample: () => drain(100_000) },
    },
    gates: { '100,000 items': 25 },
  }),
];
