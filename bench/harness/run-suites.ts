import { writeFile } from 'node:fs/promises';
import { type BenchmarkReport, isFailed, type Outcome, startReport } from './benchmark-report.ts';
import { measureInProcess } from './contender-process.ts';
import { type FoundSuite, findSuites } from './find-suites.ts';
import { formatReport } from './format-report.ts';
import { type Measure, measureSuite } from './measure-suite.ts';
import { findStopped, writeResult } from './results-folder.ts';
import { parseRunOptions, type RunOptions, USAGE } from './run-options.ts';
import { reportSuite } from './suite-report.ts';

/** 0: all passed. 1: a gate failed, a result was wrong or a suite threw. 2: a wrong command line, or no such suite. */
export type ExitCode = 0 | 1 | 2;

export interface Output {
  log(text: string): void;
  error(text: string): void;
}

export interface RunSuitesOptions {
  readonly output?: Output;
  /** Where the report goes. Without it, nothing is written and nothing resumed. */
  readonly results?: URL;
  /** Called with the report at the end of a run. */
  readonly onComplete?: (report: BenchmarkReport) => void | Promise<void>;
  /** Measures one contender once. @defaultValue in a process of its own */
  readonly measureOf?: (file: URL) => Measure;
}

const inOwnProcess =
  (file: URL): Measure =>
  (suite, contender, options) =>
    measureInProcess({ file: file.href, suite: suite.name, contender, options });

/** Runs the suites of a folder as the command line asks. */
export async function runSuites(
  folder: URL,
  args: readonly string[],
  { output = console, results, onComplete, measureOf = inOwnProcess }: RunSuitesOptions = {},
): Promise<ExitCode> {
  let options: RunOptions;
  try {
    options = parseRunOptions(args);
  } catch (error) {
    output.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  const found = await findSuites(folder, options.grep);
  if (found.length === 0) {
    const names = (await findSuites(folder, undefined)).map(({ suite }) => suite.name);
    output.error(`no suite matches ${options.grep ?? folder.pathname}. These exist:\n${names.join('\n')}`);
    return 2;
  }
  const stopped = results !== undefined && options.resume ? await findStopped(results, options) : undefined;
  let report = stopped ?? startReport(options);
  const { node, cores, cpu, loadAtStart } = report.machine;
  output.log(`Node ${node}, ${cores} cores of ${cpu}, load ${loadAtStart}\n`);
  for (const entry of found) {
    if (report.suites.some(({ name }) => name === entry.suite.name)) continue;
    const outcome = await runSuite(entry, options, output, measureOf(new URL(entry.file, folder)));
    report = { ...report, suites: [...report.suites, outcome] };
    if (results !== undefined) await writeResult(results, report);
  }
  return finish({ ...report, complete: true }, options, output, { results, onComplete });
}

async function finish(
  report: BenchmarkReport,
  { json }: RunOptions,
  output: Output,
  {
    results,
    onComplete,
  }: { readonly results: URL | undefined; readonly onComplete: RunSuitesOptions['onComplete'] | undefined },
): Promise<ExitCode> {
  if (results !== undefined) output.log(`The report as JSON: bench/results/${await writeResult(results, report)}`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  await onComplete?.(report);
  const failed = report.suites.filter((outcome) => isFailed(outcome) || !outcome.passed);
  if (failed.length === 0) return 0;
  output.error(`FAILED: ${failed.map(({ name }) => name).join(', ')}`);
  return 1;
}

async function runSuite(
  { file, suite }: FoundSuite,
  options: RunOptions,
  output: Output,
  measure: Measure,
): Promise<Outcome> {
  const onRound = (round: number, rounds: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${suite.name}: round ${round} of ${rounds} \r`);
  };
  const { rounds, sliceMs, warmUpMs } = options;
  try {
    // A quick run proves that the suites run. Its code is not even compiled when it is measured.
    const judged = options.quick ? { ...suite, ours: suite.ours ?? Object.keys(suite.gates ?? {}), gates: {} } : suite;
    const report = reportSuite(judged, await measureSuite(suite, { rounds, sliceMs, warmUpMs, onRound, measure }));
    output.log(`${formatReport(report)}\n`);
    return { file, ...report };
  } catch (error) {
    output.error(`${suite.name} FAILED: ${error instanceof Error ? error.stack : error}\n`);
    return { file, name: suite.name, error: error instanceof Error ? error.message : String(error) };
  }
}
