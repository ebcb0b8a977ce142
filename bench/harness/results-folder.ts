import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { askedOf, type BenchmarkReport, currentCommit } from './benchmark-report.ts';
import type { RunOptions } from './run-options.ts';

const PREFIX = 'benchmark-';

/** Writes a report; a later call with the same start replaces it. Gives the name of its file. */
export async function writeResult(folder: URL, report: BenchmarkReport): Promise<string> {
  const name = `${PREFIX}${report.startedAt.replaceAll(/[:.]/g, '-')}.json`;
  await mkdir(folder, { recursive: true });
  await writeFile(new URL(name, folder), `${JSON.stringify(report, null, 2)}\n`);
  return name;
}

/** All reports of a folder, the oldest first. */
export async function readResults(folder: URL): Promise<readonly BenchmarkReport[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.startsWith(PREFIX) && name.endsWith('.json')).sort();
  const reports = files.map(async (name) => JSON.parse(await readFile(new URL(name, folder), 'utf8')));
  return (await Promise.all(reports)) as readonly BenchmarkReport[];
}

/** The last run of this commit that was asked for the same, if it was stopped before its end. */
export async function findStopped(folder: URL, options: RunOptions): Promise<BenchmarkReport | undefined> {
  const asked = JSON.stringify(askedOf(options));
  const commit = currentCommit();
  const same = (await readResults(folder)).filter((each) => JSON.stringify(each.asked) === asked);
  const last = same.at(-1);
  return last !== undefined && !last.complete && last.commit === commit ? last : undefined;
}
