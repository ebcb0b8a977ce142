import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../harness/seeded-random.ts';
import { findBaseCommit } from './builds/base-commit.ts';
import { BuildCache, cacheFolder } from './builds/build-cache.ts';
import { findBenches, matching } from './engine/find-benches.ts';
import { measureBuilds } from './engine/measure-builds.ts';
import { type GateOptions, parseGateOptions, USAGE } from './gate-options.ts';
import { loadPackageFrom } from './process/build-hooks.ts';
import { type Build, exitCodeOf, reportOf } from './report/gate-report.ts';
import { markdownReport } from './report/markdown.ts';
import { textReport } from './report/text.ts';

const REPOSITORY = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Share of the budget that is left for measurements however long the builds took. */
const MEASURED_SHARE = 0.5;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<0 | 1 | 2 | 3> {
  let options: GateOptions;
  try {
    options = parseGateOptions(args, () => Math.floor(Math.random() * 2 ** 32));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  try {
    return await compare(options);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 3;
  }
}

async function compare(options: GateOptions): Promise<0 | 1 | 2 | 3> {
  const { budgetMinutes, tarball, seed, grep } = options;
  const startedAtMs = performance.now();
  const base: Build =
    tarball === undefined ? findBaseCommit(REPOSITORY, options.base) : { described: `tarball ${tarball}` };
  if (options.printBase) {
    console.log(base.commit ?? base.described);
    return 0;
  }
  const cache = new BuildCache(REPOSITORY);
  const builds = {
    head: cache.ofWorkingTree(),
    base: base.commit === undefined ? cache.ofTarball(tarball ?? '') : cache.ofCommit(base.commit),
  };
  loadPackageFrom(builds.head);
  const all = await findBenches();
  const benches = matching(all, grep);
  if (benches.length === 0) {
    console.error(`no bench matches ${grep}; there are:\n${all.map(({ bench }) => `  ${bench.name}`).join('\n')}`);
    return 2;
  }
  const budgetMs = budgetMinutes * 60_000;
  console.error(`head against ${base.described}, ${benches.length} benches, seed ${seed}`);
  const outcome = await measureBuilds({
    builds,
    benches,
    budgetMs: Math.max(budgetMs * MEASURED_SHARE, budgetMs - (performance.now() - startedAtMs)),
    random: seededRandom(seed),
    compileCache: join(cacheFolder(), 'compiled'),
    onRound: ({ stage, round, planned, open }) =>
      console.error(`${stage === 'screen' ? 'block' : 'confirming block'} ${round} of ${planned}, ${open.length} open`),
  });
  const report = reportOf(outcome, { base, head: { described: 'the working tree' }, seed });
  console.log(textReport(report));
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  if (options.markdown !== undefined) await writeFile(options.markdown, markdownReport(report));
  return exitCodeOf(report);
}
