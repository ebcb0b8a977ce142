import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { type FoundSuite, findSuites } from './find-suites.ts';
import { formatReport } from './format-report.ts';
import { measureSuite } from './measure-suite.ts';
import { parseRunOptions, type RunOptions, USAGE } from './run-options.ts';
import { reportSuite, type SuiteReport } from './suite-report.ts';

/** 0: all passed. 1: a gate failed, a result was wrong or a suite threw. 2: the command line is wrong. */
export type ExitCode = 0 | 1 | 2;

type Outcome = { readonly file: string } & (SuiteReport | { readonly name: string; readonly error: string });

export interface Output {
  log(text: string): void;
  error(text: string): void;
}

/** Runs the suites of a folder as the command line asks. */
export async function runSuites(folder: URL, args: readonly string[], output: Output = console): Promise<ExitCode> {
  let options: RunOptions;
  try {
    options = parseRunOptions(args);
  } catch (error) {
    output.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  const found = await findSuites(folder, options.grep);
  if (found.length === 0) {
    output.error(`no suite matches ${options.grep ?? folder.pathname}`);
    return 2;
  }
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: availableParallelism() };
  output.log(`Node ${machine.node}, ${machine.cores} cores of ${machine.cpu}\n`);
  const outcomes: Outcome[] = [];
  for (const entry of found) outcomes.push(await runSuite(entry, options, output));

  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify({ machine, suites: outcomes }, null, 2)}\n`);
  }
  const failed = outcomes.filter((outcome) => 'error' in outcome || !outcome.passed);
  if (failed.length === 0) return 0;
  output.error(`FAILED: ${failed.map(({ name }) => name).join(', ')}`);
  return 1;
}

async function runSuite({ file, suite }: FoundSuite, options: RunOptions, output: Output): Promise<Outcome> {
  const onRound = (round: number, rounds: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${suite.name}: round ${round} of ${rounds} \r`);
  };
  try {
    const report = reportSuite(suite, await measureSuite(suite, { ...options, onRound }));
    output.log(`${formatReport(report)}\n`);
    return { file, ...report };
  } catch (error) {
    output.error(`${suite.name} FAILED: ${error instanceof Error ? error.stack : error}\n`);
    return { file, name: suite.name, error: error instanceof Error ? error.message : String(error) };
  }
}
