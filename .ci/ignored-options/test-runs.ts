import { join, relative } from 'node:path';
import { createVitest, type Reporter, type TestCase, type TestModule, type Vitest } from 'vitest/node';
import { repositoryRoot } from '../runtimes.ts';

/** Short, for a test often waits in vain for what an ignored option would have done. */
const TEST_TIMEOUT_MS = 10_000;

const BETWEEN = ': ';

/** Runs test files one after the other in one Vitest, which keeps what it has transformed. */
export class TestRuns {
  readonly #vitest: Vitest;
  readonly #found: Findings;

  static async start(): Promise<TestRuns> {
    const found = new Findings();
    // The configuration leaves out the type tests by this flag.
    process.argv.push('--typecheck.enabled=false');
    const vitest = await createVitest('test', {
      config: join(repositoryRoot, '.ci', 'ignored-options', 'vitest.config.ts'),
      watch: false,
      bail: 1,
      maxWorkers: 1,
      testTimeout: TEST_TIMEOUT_MS,
      reporters: [found],
    });
    await vitest.standalone();
    return new TestRuns(vitest, found);
  }

  private constructor(vitest: Vitest, found: Findings) {
    this.#vitest = vitest;
    this.#found = found;
  }

  /**
   * The test of a file that notices each option, as `<file>: <title>`, where one does. All are tried in one process, so
   * an option may be missed. Only tests with these titles are run, where there are some.
   */
  async noticesIn(file: string, options: readonly string[], titles?: readonly string[]): Promise<Map<string, string>> {
    await this.#run(file, { each: options }, titles);
    return this.#found.noticed;
  }

  /**
   * The first test that fails while an option is ignored all the time, as `<file>: <title>`; undefined when all pass.
   * Takes a file, or one test of it in that form.
   */
  async failureIn(tests: string, option: string | undefined): Promise<string | undefined> {
    const [file, title] = partsOf(tests);
    const { unhandledErrors } = await this.#run(file, { always: option }, title === undefined ? undefined : [title]);
    return this.#found.failure ?? (unhandledErrors.length === 0 ? undefined : file);
  }

  async #run(file: string, ignoring: Ignoring, testNames?: readonly string[]) {
    const path = join(repositoryRoot, file);
    const [known] = this.#vitest.getModuleSpecifications(path);
    if (known === undefined) throw new Error(`${file} is no test file`);
    this.#found.clear();
    known.project.provide('ignoring', ignoring);
    const named = testNames === undefined ? {} : { testNames: [...testNames] };
    return this.#vitest.runTestSpecifications([known.project.createSpecification(path, named)]);
  }

  close(): Promise<void> {
    return this.#vitest.close();
  }
}

type Ignoring = { readonly each: readonly string[] } | { readonly always: string | undefined };

/** A test that is named as `<file>: <title>`, or a file. */
export function partsOf(tests: string): readonly [file: string, title: string | undefined] {
  const [file = '', ...title] = tests.split(BETWEEN);
  return [file, title.length === 0 ? undefined : title.join(BETWEEN)];
}

/** What one run has found. What Vitest keeps of earlier runs is not looked at. */
class Findings implements Reporter {
  noticed = new Map<string, string>();
  failure: string | undefined;

  clear(): void {
    this.noticed = new Map();
    this.failure = undefined;
  }

  onTestCaseResult(test: TestCase): void {
    const name = `${fileName(test.module)}${BETWEEN}${test.fullName}`;
    if (test.result().state === 'failed') this.failure ??= name;
    for (const option of test.meta().noticed ?? []) this.noticed.set(option, name);
  }

  onTestModuleEnd(module: TestModule): void {
    if (module.errors().length > 0 || module.state() === 'failed') this.failure ??= fileName(module);
  }
}

const fileName = (module: TestModule): string => relative(repositoryRoot, module.moduleId);
