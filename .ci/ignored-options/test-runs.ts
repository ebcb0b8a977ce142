import { join, relative } from 'node:path';
import { createVitest, type Reporter, type TestCase, type TestModule, type Vitest } from 'vitest/node';
import { repositoryRoot } from '../runtimes.ts';
import { fileOf } from './ignore.ts';

const TEST_TIMEOUT_MS = 30_000;

const BETWEEN = ': ';

/** Runs test files one after the other in one Vitest, which keeps what it has transformed. */
export class TestRuns {
  readonly #vitest: Vitest;
  readonly #failure: FirstFailure;
  /** The file whose source the run before has changed. */
  #changed: string | undefined;

  static async start(): Promise<TestRuns> {
    const failure = new FirstFailure();
    // The configuration leaves out the type tests by this flag.
    process.argv.push('--typecheck.enabled=false');
    const vitest = await createVitest('test', {
      config: join(repositoryRoot, '.ci', 'ignored-options', 'vitest.config.ts'),
      watch: false,
      bail: 1,
      maxWorkers: 1,
      testTimeout: TEST_TIMEOUT_MS,
      reporters: [failure],
    });
    await vitest.standalone();
    return new TestRuns(vitest, failure);
  }

  private constructor(vitest: Vitest, failure: FirstFailure) {
    this.#vitest = vitest;
    this.#failure = failure;
  }

  /**
   * The first test that fails while an option is ignored, as `<file>: <title>`; undefined when all pass. Takes a file, or
   * one test of it in that form.
   */
  async failureIn(tests: string, option: string | undefined): Promise<string | undefined> {
    const [file = '', ...title] = tests.split(BETWEEN);
    const path = join(repositoryRoot, file);
    const [known] = this.#vitest.getModuleSpecifications(path);
    if (known === undefined) return undefined;
    this.#ignore(option);
    this.#failure.first = undefined;
    const testNames = title.length === 0 ? {} : { testNames: [title.join(BETWEEN)] };
    const { unhandledErrors } = await this.#vitest.runTestSpecifications([
      known.project.createSpecification(path, testNames),
    ]);
    return this.#failure.first ?? (unhandledErrors.length === 0 ? undefined : file);
  }

  #ignore(option: string | undefined): void {
    const file = option && fileOf(option);
    for (const changed of new Set([this.#changed, file])) {
      if (changed !== undefined) this.#vitest.invalidateFile(join(repositoryRoot, changed));
    }
    this.#changed = file;
    if (option === undefined) delete process.env['IGNORED_OPTION'];
    else process.env['IGNORED_OPTION'] = option;
  }

  close(): Promise<void> {
    return this.#vitest.close();
  }
}

/** The first failure of a run. What Vitest keeps of earlier runs is not looked at. */
class FirstFailure implements Reporter {
  first: string | undefined;

  onTestCaseResult(test: TestCase): void {
    if (test.result().state === 'failed') this.first ??= `${fileName(test.module)}${BETWEEN}${test.fullName}`;
  }

  onTestModuleEnd(module: TestModule): void {
    if (module.errors().length > 0 || module.state() === 'failed') this.first ??= fileName(module);
  }
}

const fileName = (module: TestModule): string => relative(repositoryRoot, module.moduleId);
