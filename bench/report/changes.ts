import { benchKey, type HistoryEntry, type KeptBench } from './history.ts';

export interface Change {
  readonly suite: string;
  readonly ours: string;
  readonly peer: string;
  /** `worse` and `better`: the intervals of the two runs lie apart. */
  readonly kind: 'worse' | 'better' | 'new' | 'gone';
  readonly before?: KeptBench;
  readonly after?: KeptBench;
}

export interface Changes {
  readonly from: HistoryEntry;
  readonly to: HistoryEntry;
  readonly changes: readonly Change[];
  /** Benches of both runs whose intervals overlap. */
  readonly unchanged: number;
}

/** The differences between the last entry and the one before. Absent with fewer than two. */
export function lastChanges(history: readonly HistoryEntry[]): Changes | undefined {
  const [from, to] = history.slice(-2);
  if (from === undefined || to === undefined) return undefined;
  const before = new Map(from.benches.map((bench) => [benchKey(bench), bench]));
  const after = new Map(to.benches.map((bench) => [benchKey(bench), bench]));
  const changes = [...new Set([...before.keys(), ...after.keys()])].flatMap((key) =>
    changeOf(before.get(key), after.get(key)),
  );
  const kept = [...after.keys()].filter((key) => before.has(key)).length;
  const changed = changes.filter(({ kind }) => kind === 'worse' || kind === 'better').length;
  return { from, to, changes, unchanged: kept - changed };
}

function changeOf(before: KeptBench | undefined, after: KeptBench | undefined): readonly Change[] {
  const named = after ?? before;
  if (named === undefined) return [];
  const { suite, ours, peer } = named;
  const both = { suite, ours, peer, ...(before && { before }), ...(after && { after }) };
  if (before === undefined) return [{ ...both, kind: 'new' }];
  if (after === undefined) return [{ ...both, kind: 'gone' }];
  const [, lowerBefore, upperBefore] = before.time;
  const [, lowerAfter, upperAfter] = after.time;
  if (lowerAfter > upperBefore) return [{ ...both, kind: 'worse' }];
  return upperAfter < lowerBefore ? [{ ...both, kind: 'better' }] : [];
}
