import { answer, missing, wrong } from '@describe-it/sdk/probe';
import { defineBench } from '../define-bench.ts';

let calls = 0;
const setup = () => {
  calls = 0;
  return undefined;
};

const count = () => calls;
const counted = () => {
  calls += 1;
  return answer();
};

/** Benches that work, and benches that fail in each of the ways in which a bench can. */
export const benches = [
  defineBench({
    name: 'good',
    setup,
    run: counted,
    verify: (value) => value === 'right',
    count,
    memory: { count: 10, make: () => ({ kept: true }) },
  }),
  defineBench({ name: 'wrong', setup, run: () => wrong(), verify: (value) => value === 'right', count }),
  defineBench({ name: 'uncounted', setup, run: () => answer(), verify: (value) => value === 'right', count }),
  defineBench({ name: 'missing', setup, run: () => missing(), verify: () => true, count }),
];
