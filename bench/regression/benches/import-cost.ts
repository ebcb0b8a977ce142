import { sampleInFreshProcess } from '../../harness/fresh-process.ts';
import { defineSampledBench } from '../define-bench.ts';

export const benches = [
  defineSampledBench({
    name: 'import cost: the root entry point',
    sample: () =>
      sampleInFreshProcess({
        module: import.meta.resolve('@describe-it/sdk'),
        expectedExport: 'createDescribeClient',
      }),
  }),
];
