import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import type { BenchmarkReport, Machine } from '../harness/benchmark-report.ts';
import type { RatioEstimate } from '../harness/statistics.ts';
import type { LoadTestResult } from './load-results.ts';
import { standingsOf } from './standing.ts';

/** Value, lower and upper bound of a ratio, with four digits. */
export type KeptRatio = readonly [value: number, lower: number, upper: number];

export interface KeptBench {
  readonly suite: string;
  readonly ours: string;
  readonly peer: string;
  readonly time: KeptRatio;
  readonly cpu?: KeptRatio;
  readonly allocations?: KeptRatio;
}

export interface KeptLoadTest {
  readonly name: string;
  readonly status: string;
  readonly throughput?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

/** A file of `bench/history/`: the runs of one commit, as ratios, because times of different machines differ. */
export interface HistoryEntry {
  readonly version: 1;
  readonly commit: string;
  /** ISO date of the start of the benches. */
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly benches: readonly KeptBench[];
  readonly load: readonly KeptLoadTest[];
}

const round = (value: number) => Number(value.toPrecision(4));

const keepRatio = ({ value, lower, upper }: RatioEstimate): KeptRatio => [round(value), round(lower), round(upper)];

export const ratioOf = ([value, lower, upper]: KeptRatio): RatioEstimate => ({ value, lower, upper });

/** Names a comparison over all entries. */
export const benchKey = ({ suite, ours, peer }: Pick<KeptBench, 'suite' | 'ours' | 'peer'>) =>
  `${suite} | ${ours} | ${peer}`;

/** Makes the entry of a run of the benches and the load tests. */
export function entryOf(report: BenchmarkReport, load: readonly LoadTestResult[]): HistoryEntry {
  return {
    version: 1,
    commit: report.commit ?? 'unknown',
    measuredAt: report.startedAt,
    machine: report.machine,
    benches: standingsOf(report).map(({ suite, ours, peer, time, cpu, allocations }) => ({
      suite,
      ours,
      peer,
      time: keepRatio(time),
      ...(cpu !== undefined && { cpu: keepRatio(cpu) }),
      ...(allocations !== undefined && { allocations: keepRatio(allocations) }),
    })),
    load: load.map(({ name, status, result }) => ({
      name,
      status,
      ...(result !== undefined && { throughput: round(result.throughput) }),
      ...(result?.latencyMs !== undefined && {
        p50Ms: round(result.latencyMs.p50),
        p99Ms: round(result.latencyMs.p99),
      }),
    })),
  };
}

/** All entries of a folder, the oldest first. */
export async function readHistory(folder: URL): Promise<readonly HistoryEntry[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')));
  const entries = texts.map((text) => JSON.parse(text) as HistoryEntry);
  return entries.sort((left, right) => left.measuredAt.localeCompare(right.measuredAt));
}

/** Writes an entry in one line a bench, so that a change reads well. A later run of the same commit replaces it. */
export async function keepEntry(folder: URL, entry: HistoryEntry): Promise<string> {
  const name = `${entry.measuredAt.slice(0, 10)}-${entry.commit.slice(0, 12)}.json`;
  const { benches, load, ...head } = entry;
  const list = (items: readonly object[]) =>
    items.length === 0 ? '[]' : `[\n${items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`;
  const start = JSON.stringify(head).slice(1, -1);
  await mkdir(folder, { recursive: true });
  await writeFile(
    new URL(name, folder),
    `{\n  ${start},\n  "benches": ${list(benches)},\n  "load": ${list(load)}\n}\n`,
  );
  return name;
}
