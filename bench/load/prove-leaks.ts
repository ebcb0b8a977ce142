// Proves that the soak finds what leaks. It runs the soak as it is, which must find nothing. Then it plants each leak,
// which must be found in its resource. Exits with 1 when one of them ends otherwise.
//   node bench/load/prove-leaks.ts [--minutes 3] [--only none,listener,map,socket]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { LoadReport } from './load-report.ts';
import { SOAK_TEST } from './load-tests.ts';
import { PLANTS, type Plant, SHOWS_IN } from './plants.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '3' }, only: { type: 'string', default: `none,${PLANTS.join(',')}` } },
});
const run = fileURLToPath(new URL('./run.ts', import.meta.url));

/** Names of the resources that the soak says leak. */
function leaksOf(plant: Plant | undefined, folder: string): readonly string[] {
  const json = join(folder, `${plant ?? 'none'}.json`);
  const args = [run, '--grep', SOAK_TEST, '--minutes', values.minutes, '--json', json];
  const { status } = spawnSync(process.execPath, plant === undefined ? args : [...args, '--plant', plant], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0 && status !== 1) throw new Error(`the soak ended with ${status}`);
  const { tests } = JSON.parse(readFileSync(json, 'utf8')) as LoadReport;
  const [test] = tests;
  if (test?.leaks === undefined) throw new Error(`the soak gave no counts: ${test?.reason}`);
  for (const { resource, growth, tolerance, chance } of test.leaks) {
    console.log(`  ${resource}: growth ${growth.toFixed(1)}, tolerance ${tolerance}, chance ${chance.toFixed(4)}`);
  }
  return test.leaks.filter(({ isLeak }) => isLeak).map(({ resource }) => resource);
}

const folder = mkdtempSync(join(tmpdir(), 'describe-it-leaks-'));
let isProved = true;
try {
  for (const plant of [undefined, ...PLANTS]) {
    if (!values.only.split(',').includes(plant ?? 'none')) continue;
    console.log(`planted: ${plant ?? 'nothing'}`);
    const leaks = leaksOf(plant, folder);
    const isRight = plant === undefined ? leaks.length === 0 : leaks.includes(SHOWS_IN[plant]);
    console.log(`  ${isRight ? 'right' : 'WRONG'}: found ${leaks.join(', ') || 'nothing'}`);
    isProved &&= isRight;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = isProved ? 0 : 1;
