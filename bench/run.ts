import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import {
  type FoundSuite,
  findSuites,
  formatReport,
  measureSuite,
  parseRunOptions,
  reportSuite,
  type SuiteReport,
  USAGE,
} from './harness/index.ts';

type Outcome = { readonly file: string } & (SuiteReport | { readonly name: string; readonly error: string });

const options = (() => {
  try {
    return parseRunOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
})();

const found = await findSuites(new URL('./', import.meta.url), options.grep);
if (found.length === 0) {
  console.error(`no suite matches ${options.grep}`);
  process.exit(2);
}

const machine = { node: process.version, cpu: cpus()[0]?.model, cores: availableParallelism() };
console.log(`Node ${machine.node}, ${machine.cores} cores of ${machine.cpu}\n`);
const outcomes: Outcome[] = [];
for (const entry of found) outcomes.push(await runSuite(entry));

if (options.json !== undefined) {
  await writeFile(options.json, `${JSON.stringify({ machine, suites: outcomes }, null, 2)}\n`);
}
const failed = outcomes.filter((outcome) => 'error' in outcome || !outcome.passed);
if (failed.length > 0) {
  console.error(`FAILED: ${failed.map(({ name }) => name).join(', ')}`);
  process.exitCode = 1;
}
setTimeout(() => {
  console.error('a suite left something open that holds the process (see its teardown)');
  process.exit(1);
}, 5_000).unref();

async function runSuite({ file, suite }: FoundSuite): Promise<Outcome> {
  const showRound = (round: number, rounds: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${suite.name}: round ${round} of ${rounds} \r`);
  };
  try {
    const measurements = await measureSuite(suite, { ...options, onRound: showRound });
    const report = reportSuite(suite, measurements);
    console.log(`${formatReport(report)}\n`);
    return { file, ...report };
  } catch (error) {
    console.error(`${suite.name} FAILED:`, error, '\n');
    return { file, name: suite.name, error: error instanceof Error ? error.message : String(error) };
  }
}
