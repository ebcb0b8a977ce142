// Tries the gate on itself while another process keeps one core busy. In some runs of the gate nothing changed, and
// in some one bench of head is slowed on purpose. Each verdict is a line of a file, so that it resumes.
//   npm run perf:trial -- [--file bench/results/gate-trial.jsonl] [--runs n] [--no-busy] [--score]
import { fork } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seededRandom } from '../harness/seeded-random.ts';
import { BuildCache, cacheFolder } from './builds/build-cache.ts';
import { run as runCommand } from './builds/run-command.ts';
import { type FoundBench, findBenches } from './engine/find-benches.ts';
import type { Block } from './engine/gate-bench.ts';
import { measureBuilds } from './engine/measure-builds.ts';
import { loadPackageFrom } from './process/build-hooks.ts';
import {
  MAX_SECONDS,
  plannedRuns,
  remainingRuns,
  scoreText,
  type TrialRecord,
  type TrialRun,
} from './trial/trial-plan.ts';

const REPOSITORY = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Eight benches: every primitive, the whole path, Redis, and a server in another process. */
const TRIAL_BENCHES = [
  'circuit breaker: closed fire',
  'resource pool: 32 callers over 10 slots',
  'batch processor: 500 items in batches of 50',
  'routing: 500 calls queued for 2 endpoints',
  'performance monitor: counter and histogram',
  'cache operations: get from memory',
  'describe client: a hit in memory',
  'connection pool: a call at 16 in flight',
] as const;

/** Time for what is neither measured nor prepared: the last block may begin just before the end. */
const MARGIN_MS = 4_000;

const { values } = parseArgs({
  options: {
    file: { type: 'string', default: join(REPOSITORY, 'bench', 'results', 'gate-trial.jsonl') },
    runs: { type: 'string', default: '80' },
    'no-busy': { type: 'boolean', default: false },
    score: { type: 'boolean', default: false },
  },
});

const runs = Number(values.runs);
if (!(Number.isInteger(runs) && runs >= 0)) {
  console.error(`--runs: expected a whole number, got ${values.runs}`);
  process.exit(2);
}

const readRecords = (): readonly TrialRecord[] =>
  existsSync(values.file)
    ? readFileSync(values.file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as TrialRecord)
    : [];

if (!values.score) await runTrials();
console.log(scoreText(readRecords()));

async function runTrials(): Promise<void> {
  mkdirSync(dirname(values.file), { recursive: true });
  const cache = new BuildCache(REPOSITORY);
  // The same code in two folders, where the tree has no changes.
  const builds = {
    base: cache.ofCommit(runCommand('git', ['rev-parse', 'HEAD'], REPOSITORY)),
    head: cache.ofWorkingTree(),
  };
  loadPackageFrom(builds.head);
  const all = await findBenches();
  const benches = TRIAL_BENCHES.map((name) => {
    const found = all.find(({ bench }) => bench.name === name);
    if (found === undefined) throw new Error(`the trial names a bench that does not exist: ${name}`);
    return found;
  });
  const busy = values['no-busy'] ? undefined : fork(new URL('./trial/busy-core.ts', import.meta.url));
  try {
    const remaining = remainingRuns(plannedRuns(TRIAL_BENCHES), readRecords());
    for (const planned of remaining.slice(0, runs)) {
      const record = await runTrial(planned, builds, benches);
      appendFileSync(values.file, `${JSON.stringify(record)}\n`);
      console.log(`${record.kind} ${record.index} (${record.seconds} s, load ${record.load}): ${inWords(record)}`);
      console.log(scoreText(readRecords()));
    }
  } finally {
    busy?.kill();
  }
}

async function runTrial(
  { kind, index, seed, slowdown }: TrialRun,
  builds: { readonly base: string; readonly head: string },
  benches: readonly FoundBench[],
): Promise<TrialRecord> {
  const { reports, run, elapsedMs } = await measureBuilds({
    builds,
    benches,
    budgetMs: MAX_SECONDS * 1_000 - MARGIN_MS,
    random: seededRandom(seed),
    compileCache: join(cacheFolder(), 'compiled'),
    ...(slowdown !== undefined && { slowdown }),
  });
  return {
    kind,
    index,
    seed,
    ...(slowdown !== undefined && { slowed: slowdown.bench }),
    slower: reports.filter(({ verdict }) => verdict === 'slower').map(({ name }) => name),
    verdicts: Object.fromEntries(reports.map(({ name, verdict }) => [name, verdict])),
    rounds: run.rounds,
    values: Object.fromEntries(
      reports.map(({ name, blocks }) => [name, { cpu: valuesOf(blocks, 'cpu'), wall: valuesOf(blocks, 'wall') }]),
    ),
    seconds: Math.round(elapsedMs / 100) / 10,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

function valuesOf(blocks: readonly Block[], measure: 'cpu' | 'wall'): readonly number[] {
  return blocks.flatMap(({ base, head }) => [...base, ...head].map((sample) => Number(sample[measure].toPrecision(4))));
}

function inWords({ slowed, slower, verdicts }: TrialRecord): string {
  const unknown = Object.values(verdicts).filter((verdict) => verdict === 'cannot tell').length;
  return `slowed ${slowed ?? 'nothing'}; called slower: ${slower.join(', ') || 'nothing'}; ${unknown} cannot tell`;
}
