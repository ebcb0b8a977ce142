// Ignores each option and member of the client and its parts in turn, and runs the tests that name it until one fails:
// `npm run check:ignored-options -- [--only part of a name] [--missing] [--from name] [--list]`. It reports the options
// that no test notices. The source stays as it is: the option is ignored while Vitest loads it. The test that noticed is
// kept in ignored-options/noticed-by.json, and is the first to run the next time. `--missing` takes only those options
// that have none there, so an interrupted run goes on where it was.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FaultFinder, type RunTests } from './faults/fault-finder.ts';
import { assertPlantable } from './ignored-options/ignore.ts';
import { testsOf } from './ignored-options/likely-tests.ts';
import { OPTIONS } from './ignored-options/options.ts';
import { TestRuns } from './ignored-options/test-runs.ts';
import { repositoryRoot } from './runtimes.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: [''], multiple: true },
    missing: { type: 'boolean', default: false },
    from: { type: 'string' },
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
}

const finder = new FaultFinder();

/** The test that notices that an option is ignored; undefined where none does. */
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

const start = values.from === undefined ? 0 : OPTIONS.indexOf(values.from);
if (start < 0) throw new Error(`${values.from} is no option; --list names all`);
const chosen = OPTIONS.slice(start)
  .filter((name) => values.only.some((part) => name.includes(part)))
  .filter((name) => !values.missing || notices[name] === undefined);

async function check(options: readonly string[]): Promise<void> {
  for (const option of options) assertPlantable(option, (file) => readFileSync(join(repositoryRoot, file), 'utf8'));
  const unnoticed: string[] = [];
  const runs = await TestRuns.start();
  for (const option of options) {
    const notice = await noticeOf(runs, option);
    keep(option, notice);
    if (notice === undefined) unnoticed.push(option);
    console.log(notice === undefined ? `UNNOTICED ${option}` : `noticed   ${option} (${notice})`);
  }
  await runs.close();
  for (const tests of finder.leftOut) console.log(`left out, for it fails anyway: ${tests}`);
  if (unnoticed.length > 0) console.log(`no test notices: ${unnoticed.join(', ')}`);
  process.exitCode = unnoticed.length > 0 ? 1 : 0;
}

if (values.list) for (const option of chosen) console.log(`${option} ${testsOf(option).length}`);
else await check(chosen);
