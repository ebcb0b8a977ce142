import { LOAD_SCENARIOS, type LoadScenario, runLoadScenario } from '../../src/testing/index.ts';
import { compose, Skipped, warmUp } from './compose.ts';
import { runHttpLoad } from './http-load.ts';
import type { LoadMessage, LoadTask, TestReport } from './load-report.ts';
import { HTTP_TEST, SOAK_TEST } from './load-tests.ts';
import { runSoak } from './soak.ts';

/** Runs one test in a process of its own, so that neither memory nor compiled code of an earlier one shows in it. */
const send = (message: LoadMessage) =>
  new Promise<void>((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, () => resolve());
  });

async function run({ name, wiring, minutes, plant }: LoadTask): Promise<TestReport> {
  const onProgress = (progress: Extract<LoadMessage, { kind: 'progress' }>['progress']) =>
    void send({ kind: 'progress', progress });
  if (wiring === 'stock' && (name === SOAK_TEST || name === HTTP_TEST)) {
    throw new Skipped('it is about this SDK, not the stock client');
  }
  if (name === SOAK_TEST) {
    const { result, leaks } = await runSoak(minutes, plant, onProgress);
    const isWell = result.passed && leaks.every(({ isLeak }) => !isLeak);
    return { name, status: isWell ? 'passed' : 'missed', result, leaks };
  }
  if (name === HTTP_TEST) {
    const result = await runHttpLoad();
    return { name, status: result.passed ? 'passed' : 'missed', result };
  }
  const scenario = (LOAD_SCENARIOS as Readonly<Record<string, LoadScenario>>)[name];
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  const composed = await compose(scenario, wiring);
  try {
    const { targets, server, redis, tenantKeys } = composed;
    await warmUp(targets);
    const result = await runLoadScenario(targets, scenario, {
      server,
      tenantKeys,
      onProgress,
      ...(redis === undefined ? {} : { redis }),
    });
    return { name, status: result.passed ? 'passed' : 'missed', result };
  } finally {
    await composed.close();
  }
}

process.once('disconnect', () => process.exit(1));
const [given = '{}'] = process.argv.slice(2);
const task = JSON.parse(given) as LoadTask;
const report = await run(task).catch(
  (error: unknown): TestReport => ({
    name: task.name,
    status: error instanceof Skipped ? 'skipped' : 'failed',
    reason: error instanceof Skipped ? error.message : String(error instanceof Error ? error.stack : error),
  }),
);
await send({ kind: 'report', report });
process.exit(0);
