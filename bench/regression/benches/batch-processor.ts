import { BatchProcessor } from '@describe-it/sdk/batch-processor';
import { defineBench } from '../define-bench.ts';

const ITEMS = 500;
const BATCH = 50;

const square = async (values: readonly number[]) => values.map((value) => value * value);
const inputs = Array.from({ length: ITEMS }, (_, index) => index);

export const benches = [
  defineBench({
    name: `batch processor: ${ITEMS} items in batches of ${BATCH}`,
    operations: ITEMS,
    setup: () =>
      new BatchProcessor(square, { batchSize: BATCH, maxConcurrentBatches: ITEMS / BATCH, maxQueueSize: ITEMS }),
    run: (processor) => Promise.all(inputs.map((value) => processor.process(value, { priority: (value * 7) % 10 }))),
    verify: (results) =>
      Array.isArray(results) && results.length === ITEMS && results.every((result, index) => result === index * index),
    count: (processor) => processor.getMetrics().succeededMs.count,
    teardown: (processor) => processor.close(),
  }),
];
