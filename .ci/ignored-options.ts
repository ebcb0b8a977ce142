// Ignores each option and member of the client in turn, runs the tests that name it, and reports those that no test
// notices: `npm run check:ignored-options -- [--only part of a name] [--from name] [--list]`. The source stays as it is: the option is
// ignored while Vitest loads it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DESCRIBE_MANY_SPEC } from '../src/describe-client/bulk/describe-many.ts';
import { ESTIMATE_SPEC } from '../src/describe-client/bulk/estimate-calls.ts';
import { CLIENT_WARM_SPEC } from '../src/describe-client/bulk/warm-cache.ts';
import { CLIENT_IMAGE_SPEC } from '../src/describe-client/options/client-image-options.ts';
import { CLIENT_SPEC } from '../src/describe-client/options/client-spec.ts';
import { ENDPOINT_SPEC } from '../src/describe-client/options/endpoint-options.ts';
import { CLIENT_LIMIT_CHECKS } from '../src/describe-client/options/limit-options.ts';
import { DESCRIBE_SPEC } from '../src/describe-client/options/request-spec.ts';
import { FaultFinder, type RunTests } from './faults/fault-finder.ts';
import { firstFailure } from './faults/first-failure.ts';
import { assertPlantable, membersOf } from './ignored-options/ignore.ts';
import { repositoryRoot } from './runtimes.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: [''], multiple: true },
    from: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

const TEST_TIMEOUT_MS = 30_000;
const RUN_TIMEOUT_MS = 300_000;
/** Test files of one run of Vitest. */
const FILES_A_RUN = 3;

const source = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');
const named = (owner: string, spec: object): string[] => Object.keys(spec).map((name) => `${owner}.${name}`);

const OPTIONS: readonly string[] = [
  ...named('client', CLIENT_SPEC),
  ...named('client.limits', CLIENT_LIMIT_CHECKS),
  ...named('client.images', CLIENT_IMAGE_SPEC),
  ...named('client.endpoints.[]', ENDPOINT_SPEC),
  ...named('request', DESCRIBE_SPEC),
  ...named('describeMany', DESCRIBE_MANY_SPEC),
  ...named('warm', CLIENT_WARM_SPEC),
  ...named('estimate', ESTIMATE_SPEC),
  ...membersOf(source('src/describe-client/describe-client.ts'))
    .filter((name) => name !== 'constructor')
    .map((name) => `member.${name}`),
];

const TESTS = ['src', 'examples'].flatMap((folder) =>
  readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .map((path) => join(folder, path)),
);

/**
 * Tests of the client that name the option, the likeliest to notice first: its name stands in the title of a test, then
 * where it is given or called.
 */
function testsOf(option: string): string[] {
  const name = option.split(/\.(?!asyncDispose)/).at(-1) ?? '';
  const isMember = option.startsWith('member.');
  const word = name === '[Symbol.asyncDispose]' ? 'await using' : `\\b${name}\\b`;
  const used = isMember ? `\\.${word}` : `${word}(?=\\s*[:,} ])`;
  const titled = `\\b(?:it|describe)(?:\\.\\w+)?\\(.*${word}`;
  const count = (text: string, pattern: string): number => text.match(new RegExp(pattern, 'g'))?.length ?? 0;
  const scored = TESTS.map((path) => {
    const text = source(path);
    const isOfClient = path.startsWith('src/describe-client') || text.includes('createDescribeClient');
    const score = isOfClient ? 5 * count(text, titled) + 2 * count(text, used) + count(text, word) : 0;
    return { path, score: score / Math.sqrt(text.length) };
  });
  return scored
    .filter(({ score }) => score > 0)
    .sort((left, right) => right.score - left.score)
    .map(({ path }) => path);
}

const CONFIG = join(repositoryRoot, '.ci', 'ignored-options', 'vitest.config.ts');
const finder = new FaultFinder();

/** The test that notices that an option is ignored; undefined where none does. */
function noticedBy(option: string): string | undefined {
  assertPlantable(option, source);
  const run: RunTests = (files, isPlanted) =>
    firstFailure({
      root: repositoryRoot,
      files,
      args: [`--config=${CONFIG}`, '--maxWorkers=1'],
      env: { ...process.env, ...(isPlanted ? { IGNORED_OPTION: option } : {}) },
      testTimeoutMs: TEST_TIMEOUT_MS,
      runTimeoutMs: RUN_TIMEOUT_MS,
    });
  const tests = testsOf(option);
  for (let first = 0; first < tests.length; first += FILES_A_RUN) {
    const by = finder.noticedBy(tests.slice(first, first + FILES_A_RUN), run);
    if (by !== undefined) return by;
  }
  return undefined;
}

const unnoticed: string[] = [];
const start = values.from === undefined ? 0 : OPTIONS.indexOf(values.from);
if (start < 0) throw new Error(`${values.from} is no option; --list names all`);
for (const option of OPTIONS.slice(start).filter((name) => values.only.some((part) => name.includes(part)))) {
  if (values.list) {
    console.log(`${option} ${testsOf(option).length}`);
    continue;
  }
  const by = noticedBy(option);
  if (by === undefined) unnoticed.push(option);
  console.log(`${by === undefined ? 'UNNOTICED' : 'noticed  '} ${option}${by === undefined ? '' : ` (${by})`}`);
}
for (const file of finder.leftOut) console.log(`left out, for it fails anyway: ${file}`);
if (unnoticed.length > 0) console.log(`no test notices: ${unnoticed.join(', ')}`);
process.exitCode = unnoticed.length > 0 ? 1 : 0;
