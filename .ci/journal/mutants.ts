import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FaultFinder, type RunTests } from '../faults/fault-finder.ts';
import { firstFailure } from '../faults/first-failure.ts';
import { MUTANTS } from './mutants/index.ts';
import type { Mutant } from './mutants/mutant.ts';
import { plant, type Source, sourcesOf } from './mutants/plant.ts';

/**
 * Plants each fault in a copy of a commit and runs the tests of its folders: `node .ci/journal/mutants.ts`
 * `[--repo .] [--ref HEAD] [--out mutants.json] [--only part of an id] [--part 1/2] [--after mutants.base.json]`
 * `[--thorough] [--list]`.
 *
 * `--list` only tells which code is not found. `--thorough` runs the whole suite where the folders' tests stay green.
 * `--after` names an earlier result: the test that killed a mutant then is run first, and those that die no more are
 * told. What `--out` holds already is not run again.
 */
const { values } = parseArgs({
  options: {
    repo: { type: 'string', default: '.' },
    ref: { type: 'string', default: 'HEAD' },
    out: { type: 'string', default: 'mutants.json' },
    only: { type: 'string', default: '' },
    part: { type: 'string', default: '1/1' },
    after: { type: 'string' },
    thorough: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

/** `gone`: its code is not there any more, and nothing is known. */
type Outcome = 'killed' | 'survives' | 'gone' | 'invalid';

interface Result {
  readonly outcome: Outcome;
  /** The test that failed, or why nothing could be planted. */
  readonly by?: string;
}

/** Long, for the machine may be busy: only a fault that makes a test hang costs so much. */
const TEST_TIMEOUT_MS = 120_000;
const RUN_TIMEOUT_MS = 600_000;

interface Results {
  readonly commit: string;
  readonly mutants: Readonly<Record<string, Result>>;
}

const resultsIn = (path: string | undefined): Results | undefined =>
  path !== undefined && existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
const earlier = resultsIn(values.after)?.mutants ?? {};

const git = (...args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync('git', ['-C', values.repo, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
};

function makeCopy(): string {
  const copy = mkdtempSync(join(tmpdir(), 'mutants-'));
  git('worktree', 'add', '--detach', '--force', copy, values.ref);
  if (!existsSync(join(copy, 'node_modules'))) {
    symlinkSync(resolve(values.repo, 'node_modules'), join(copy, 'node_modules'));
  }
  return copy;
}

const PACES = ['fast', 'integrated', 'slow'] as const;

function paceOf(path: string): (typeof PACES)[number] {
  if (/simulation|property|chaos|throughput|nobody-closes|cache-model|adaptive/.test(path)) return 'slow';
  return path.endsWith('.integration.test.ts') ? 'integrated' : 'fast';
}

/** Groups of test files in the order in which they are run: those named as the code, then the fast ones. */
function stagesOf({ id, folders }: Mutant, path: string, copy: string): string[][] {
  const filesOf = (folder: string): string[] =>
    existsSync(join(copy, 'src', folder))
      ? readdirSync(join(copy, 'src', folder), { recursive: true, encoding: 'utf8' })
          .filter((path) => path.endsWith('.test.ts'))
          .map((path) => join('src', folder, path))
      : [];
  const own = folders.flatMap(filesOf);
  const client = folders.includes('describe-client') ? [] : filesOf('describe-client');
  const [topic = ''] = basename(path, '.ts').split('-');
  const killer = basename(earlier[id]?.by?.split(':')[0] ?? '');
  const killers = filesOf('.').filter((file) => basename(file) === killer);
  const named = own.filter((file) => paceOf(file) === 'fast' && basename(file).includes(topic));
  const others = [...own, ...client].filter((file) => !named.includes(file));
  const paced = PACES.flatMap((pace) =>
    [own, client].map((files) => others.filter((file) => files.includes(file) && paceOf(file) === pace)),
  );
  return [killers, named, ...paced, ...(values.thorough ? [['src', '.ci']] : [])].filter((files) => files.length > 0);
}

const finder = new FaultFinder();

async function tried(mutant: Mutant, copy: string, sources: readonly Source[]): Promise<Result> {
  const planted = plant(mutant, sources);
  if ('gone' in planted) return { outcome: 'gone', by: planted.gone };
  try {
    stripTypeScriptTypes(planted.text);
  } catch (error) {
    return { outcome: 'invalid', by: String(error) };
  }
  if (values.list) return { outcome: 'survives', by: planted.path };
  const path = join(copy, planted.path);
  const original = readFileSync(path, 'utf8');
  const run: RunTests = (files, isPlanted) => {
    writeFileSync(path, isPlanted ? planted.text : original);
    return firstFailure({ root: copy, files, testTimeoutMs: TEST_TIMEOUT_MS, runTimeoutMs: RUN_TIMEOUT_MS });
  };
  try {
    for (const stage of stagesOf(mutant, planted.path, copy)) {
      const by = await finder.noticedBy(stage, run);
      if (by !== undefined) return { outcome: 'killed', by };
    }
    return { outcome: 'survives' };
  } finally {
    writeFileSync(path, original);
  }
}

const [part = 1, parts = 1] = values.part.split('/').map(Number);
const chosen = MUTANTS.filter(({ id }, place) => id.includes(values.only) && place % parts === part - 1);
const commit = git('rev-parse', '--short', values.ref);
const known = values.list ? undefined : resultsIn(values.out);
const results: Record<string, Result> = known?.commit === commit ? { ...known.mutants } : {};
const copy = values.list ? resolve(values.repo) : makeCopy();
try {
  const sources = sourcesOf(copy);
  for (const mutant of chosen) {
    if (results[mutant.id] !== undefined) continue;
    const result = await tried(mutant, copy, sources);
    results[mutant.id] = result;
    console.log(`${result.outcome.padEnd(9)}${mutant.id}${result.by === undefined ? '' : ` (${result.by})`}`);
    if (!values.list) writeFileSync(values.out, `${JSON.stringify({ commit, mutants: results }, null, 2)}\n`);
  }
} finally {
  if (!values.list) git('worktree', 'remove', '--force', copy);
}
for (const file of finder.leftOut) console.log(`left out, for it fails anyway: ${file}`);
const count = (outcome: Outcome) => Object.values(results).filter((result) => result.outcome === outcome).length;
console.log(
  `${count('killed')} killed, ${count('survives')} survive, ${count('gone')} gone, ${count('invalid')} invalid`,
);
const revived = Object.entries(results).filter(
  ([id, { outcome }]) => earlier[id]?.outcome === 'killed' && outcome !== 'killed',
);
for (const [id, { outcome }] of revived) console.log(`killed before, ${outcome} now: ${id}`);
process.exitCode = revived.length === 0 ? 0 : 1;
