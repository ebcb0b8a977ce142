import type { RunChange } from '../define-bench.ts';

/** A busy loop that no compiler removes. Its time grows by the turns alone. */
export function spin(turns: number): number {
  let state = 1;
  for (let turn = 0; turn < turns; turn += 1) state = (Math.imul(state, 48_271) + turn) | 0;
  return state;
}

const sink = { state: 0 };

/** Does some more work in each run, of the same kind on every machine. */
export const spinning =
  (turns: number): RunChange =>
  (run) =>
  () => {
    sink.state ^= spin(turns);
    return run();
  };

/** CPU time of one turn in microseconds: the median of some loops, once compiled. */
export function spinTurnUs(): number {
  const TURNS = 1_000_000;
  const times: number[] = [];
  for (let round = 0; round < 15; round += 1) {
    const before = process.cpuUsage();
    sink.state ^= spin(TURNS);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / TURNS);
  }
  return times.sort((left, right) => left - right)[7] ?? Number.NaN;
}
