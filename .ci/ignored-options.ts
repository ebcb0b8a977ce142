// Ignores each option and member of the client and its parts in turn, runs the tests that name it, and reports those that
// no test notices: `npm run check:ignored-options -- [--only part of a name] [--missing] [--list]`. The source stays as
// it is: places that ignore an option are planted while Vitest loads it. The test that noticed is kept in
// ignored-options/noticed-by.json, and is the first to run the next time. `--missing` takes only the options that have
// none there, so an interrupted run goes on where it was.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FaultFinder, type RunTests } from './faults/fault-finder.ts';
import { PLANTED_FILES, planted } from './ignored-options/ignore.ts';
import { testsOf } from './ignored-options/likely-tests.ts';
import { OPTIONS } from './ignored-options/options.ts';
import { partsOf, TestRuns } from './ignored-options/test-runs.ts';
import { repositoryRoot } from './runtimes.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: [''], multiple: true },
    missing: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

/** By option, the test file and the full name of a test in it; only the file where it failed as a whole. */
const notices: Record<string, string> = {};
const NOTICES = join(repositoryRoot, '.ci', 'ignored-options', 'noticed-by.json');
Object.assign(notices, JSON.parse(readFileSync(NOTICES, 'utf8')));

/** Keeps the order of the options, so that a change of one is a change of one line. */
function keep(option: string, notice: string | undefined): void {
  if (notice === undefined) delete notices[option];
  else notices[option] = notice;
  const ordered = OPTIONS.filter((name) => notices[name] !== undefined).map((name) => [name, notices[name]]);
  writeFileSync(NOTICES, `${JSON.stringify(Object.fromEntries(ordered), undefined, 2)}\n`);
  console.log(notice === undefined ? `UNNOTICED ${option}` : `noticed   ${option} (${notice})`);
}

/** Options by the file of their tests at a place of the order in which those run; the tests that noticed before first. */
function byFile(options: Iterable<string>, round: number): Map<string, readonly string[]> {
  const files = new Map<string, string[]>();
  for (const option of options) {
    const known = notices[option];
    const file = round > 0 ? testsOf(option)[round - 1] : known && partsOf(known)[0];
    if (file === undefined) continue;
    files.set(file, [...(files.get(file) ?? []), option]);
  }
  return files;
}

/** Titles of the tests of a file that noticed options before; undefined where one is unknown. */
function titlesOf(options: readonly string[]): readonly string[] | undefined {
  const titles = options.map((option) => partsOf(notices[option] ?? '')[1]);
  return titles.includes(undefined) ? undefined : [...new Set(titles as string[])];
}

/** Tries all options together, a file at a time. Gives back those that were not noticed. */
async function tryTogether(runs: TestRuns, options: readonly string[]): Promise<ReadonlySet<string>> {
  const left = new Set(options);
  const rounds = 1 + Math.max(0, ...options.map((option) => testsOf(option).length));
  for (let round = 0; round < rounds; round += 1) {
    for (const [file, some] of byFile(left, round)) {
      const noticed = await runs.noticesIn(file, some, round === 0 ? titlesOf(some) : undefined);
      for (const [option, notice] of noticed) {
        left.delete(option);
        keep(option, notice);
      }
    }
  }
  return left;
}

const finder = new FaultFinder();

/** The test that notices that an option is ignored from the start of its process; undefined where none does. */
async function noticeOf(runs: TestRuns, option: string): Promise<string | undefined> {
  const run: RunTests = ([test = ''], isPlanted) => runs.failureIn(test, isPlanted ? option : undefined);
  const known = notices[option];
  if (known !== undefined && (await finder.stillNotices(known, run))) return known;
  for (const file of testsOf(option)) {
    const by = await finder.noticedBy([file], run);
    if (by !== undefined) return by;
  }
  return undefined;
}

async function check(options: readonly string[]): Promise<void> {
  // It throws where a place is not found any more.
  for (const file of PLANTED_FILES) planted(`/${file}`, readFileSync(join(repositoryRoot, file), 'utf8'));
  const unnoticed: string[] = [];
  const runs = await TestRuns.start();
  const left = await tryTogether(runs, options);
  if (left.size > 0) console.log(`missed together, now one by one: ${[...left].join(', ')}`);
  for (const option of left) {
    const notice = await noticeOf(runs, option);
    keep(option, notice);
    if (notice === undefined) unnoticed.push(option);
  }
  await runs.close();
  for (const tests of finder.leftOut) console.log(`left out, for it fails anyway: ${tests}`);
  if (unnoticed.length > 0) console.log(`no test notices: ${unnoticed.join(', ')}`);
  process.exitCode = unnoticed.length > 0 ? 1 : 0;
}

const chosen = OPTIONS.filter((name) => values.only.some((part) => name.includes(part))).filter(
  (name) => !values.missing || notices[name] === undefined,
);
if (values.list) for (const option of chosen) console.log(`${option} ${testsOf(option).length}`);
else await check(chosen);
