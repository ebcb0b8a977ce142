import { handleAll, retry } from 'cockatiel';
import { RetryPolicy } from '../src/retry/index.ts';
import { defineSuite } from './harness/index.ts';

const action = async (value: number) => value;

// Every call pays for retries, although nearly every first attempt succeeds, as this one does.
export const suites = [
  defineSuite({
    name: 'retry: a call that succeeds at once',
    baseline: 'cockatiel',
    setup: () => ({
      ours: new RetryPolicy({ maxAttempts: 3 }),
      cockatiel: retry(handleAll, { maxAttempts: 3 }),
    }),
    contenders: {
      'bare call': () => action(7),
      cockatiel: ({ cockatiel }) => cockatiel.execute(() => action(7)),
      ours: ({ ours }) => ours.run(() => action(7)),
    },
    verify: (result) => result === 7,
    gates: { ours: 1.5 },
    floors: ['bare call'],
  }),
];
