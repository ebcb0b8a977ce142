import { expect, it } from 'vitest';
import {
  plannedRuns,
  remainingRuns,
  scoreOf,
  scoreText,
  TRIALS,
  type TrialRecord,
  type TrialRun,
} from './trial-plan.ts';

const names = ['a', 'b', 'c'];
const planned = plannedRuns(names);

const record = ({ kind, index, seed, slowdown }: TrialRun, slower: readonly string[]): TrialRecord => ({
  kind,
  index,
  seed,
  ...(slowdown !== undefined && { slowed: slowdown.bench }),
  slower,
  verdicts: Object.fromEntries(names.map((name) => [name, slower.includes(name) ? 'slower' : 'same'])),
  rounds: 6,
  values: {},
  seconds: 110,
  load: 2,
});

it('plans 40 runs without a change, and 20 of each slowdown on a bench that the seed chooses', () => {
  expect(planned).toHaveLength(80);
  expect(planned).toEqual(plannedRuns(names));
  const slowed = planned.filter(({ slowdown }) => slowdown !== undefined);
  expect(slowed).toHaveLength(40);
  expect(new Set(slowed.map(({ slowdown }) => slowdown?.bench))).toEqual(new Set(names));
  // A trial that is stopped early has some of each.
  expect(new Set(planned.slice(0, 6).map(({ kind }) => kind)).size).toBe(TRIALS.length);
});

it('resumes with the runs that its file lacks', () => {
  const done = planned.slice(0, 30).map((run) => record(run, []));
  expect(remainingRuns(planned, done)).toEqual(planned.slice(30));
});

it('scores a run as caught only when the slowed bench, and no other, is called slower', () => {
  const [first, second, third] = planned.filter(({ kind }) => kind === '25 % slower') as [TrialRun, TrialRun, TrialRun];
  const still = planned.find(({ slowdown }) => slowdown === undefined) as TrialRun;
  const other = (run: TrialRun) => names.find((name) => name !== run.slowdown?.bench) ?? '';
  const records = [
    record(first, [first.slowdown?.bench ?? '']),
    record(second, [second.slowdown?.bench ?? '', other(second)]),
    { ...record(third, []), seconds: 130 },
    record(still, ['a']),
  ];
  const [nothing, quarter] = scoreOf(records);
  expect(nothing).toMatchObject({ done: 1, alarms: 1 });
  expect(quarter).toMatchObject({ done: 3, caught: 1, alarms: 1, broken: 1 });
  expect(scoreText(records)).toContain('25 % slower: 3 of 20 runs, 1 caught, 1 blamed another bench');
});
