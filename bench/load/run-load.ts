import { fork } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LOAD_SCENARIOS, type LoadScenario } from '../../src/testing/index.ts';
import { formatTable, progressLine, summaryLine } from './format-load.ts';
import { type LoadOptions, parseLoadOptions, USAGE } from './load-options.ts';
import type { LoadMessage, LoadReport, LoadTask, TestReport } from './load-report.ts';
import { LOAD_TESTS, SOAK_TEST, testsMatching } from './load-tests.ts';

/** 0: every threshold was met. 1: one was missed, or a test failed. 2: the command line is wrong. */
export type ExitCode = 0 | 1 | 2;

export interface Output {
  log(text: string): void;
  error(text: string): void;
  /** A line that is rewritten on a terminal; lines now and then elsewhere. */
  progress(text: string): void;
}

const RESULTS = new URL('../results/', import.meta.url);
/** Time of a test beyond that of its phases: starts, waits for calls, and the pauses of a soak. */
const EXTRA_MS = 180_000;
const EXTRA_RATIO = 2;

/** Runs the tests that the command line asks for. */
export async function runLoadTests(args: readonly string[], output: Output): Promise<ExitCode> {
  let options: LoadOptions;
  try {
    options = parseLoadOptions(args);
  } catch (error) {
    output.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  const names = testsMatching(options.grep);
  if (names.length === 0) {
    output.error(`no test matches ${JSON.stringify(options.grep)}. These exist:\n${LOAD_TESTS.join('\n')}`);
    return 2;
  }
  const startedAt = new Date().toISOString();
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: availableParallelism() };
  output.log(`${names.length} tests on Node ${machine.node}, ${machine.cores} cores of ${machine.cpu}\n`);
  const tests: TestReport[] = [];
  for (const name of names) {
    const { wiring, minutes, plant } = options;
    const report = await runTest({ name, wiring, minutes, ...(plant === undefined ? {} : { plant }) }, output);
    output.log(summaryLine(report));
    tests.push(report);
  }
  output.log(`\n${formatTable(tests)}\n`);
  await writeReport(
    { version: 1, kind: 'load', startedAt, machine, wiring: options.wiring, tests },
    options.json,
    output,
  );
  const bad = tests.filter(({ status }) => status === 'missed' || status === 'failed');
  for (const { name, reason } of bad) if (reason !== undefined) output.error(`${name}: ${reason}`);
  if (bad.length === 0) return 0;
  output.error(`MISSED: ${bad.map(({ name }) => name).join(', ')}`);
  return 1;
}

function limitMs({ name, minutes }: LoadTask): number {
  const { phases = [] } = (LOAD_SCENARIOS as Readonly<Record<string, LoadScenario | undefined>>)[name] ?? {};
  const plannedMs = name === SOAK_TEST ? minutes * 60_000 : phases.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return EXTRA_RATIO * plannedMs + EXTRA_MS;
}

/** Runs one test in a process of its own, which is ended when it takes far too long. */
async function runTest(task: LoadTask, output: Output): Promise<TestReport> {
  const { name } = task;
  const child = fork(new URL('./load-child.ts', import.meta.url), [JSON.stringify(task)], { execArgv: [] });
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs(task));
  let report: TestReport | undefined;
  child.on('message', (message: LoadMessage) => {
    if (message.kind === 'report') report = message.report;
    else output.progress(`${name}: ${progressLine(message.progress)}`);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once('exit', (...ended) => resolve(ended));
  });
  clearTimeout(timer);
  output.progress('');
  const ended = signal === 'SIGKILL' ? 'took far too long and was ended' : `ended with ${code ?? signal}`;
  return report ?? { name, status: 'failed', reason: `its process ${ended} before it gave a result` };
}

async function writeReport(report: LoadReport, json: string | undefined, output: Output): Promise<void> {
  const name = `load-${report.startedAt.replaceAll(/[:.]/g, '-')}.json`;
  const text = `${JSON.stringify(report, null, 2)}\n`;
  for (const file of [fileURLToPath(new URL(name, RESULTS)), ...(json === undefined ? [] : [json])]) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  output.log(`The report as JSON: bench/results/${name}`);
}
