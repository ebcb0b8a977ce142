import { readdir, readFile } from 'node:fs/promises';
import type { LoadReport, TestReport } from '../load/load-report.ts';

/** The last result of a load test, with when it was run. */
export interface LoadTestResult extends TestReport {
  readonly startedAt: string;
}

/** The last result of every load test, by the name of the test. Only those of this package's own wiring count. */
export async function readLoadResults(folder: URL): Promise<readonly LoadTestResult[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.startsWith('load-') && name.endsWith('.json'));
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')));
  return lastOfEach(texts.map((text) => JSON.parse(text) as LoadReport));
}

/** The last result of each test of these reports. */
export function lastOfEach(reports: readonly LoadReport[]): readonly LoadTestResult[] {
  const last = new Map<string, LoadTestResult>();
  const known = reports.filter(({ version, kind, wiring }) => version === 1 && kind === 'load' && wiring === 'sdk');
  for (const { startedAt, tests } of known.toSorted((left, right) => left.startedAt.localeCompare(right.startedAt))) {
    for (const test of tests) last.set(test.name, { ...test, startedAt });
  }
  return [...last.values()].sort((left, right) => left.name.localeCompare(right.name));
}
