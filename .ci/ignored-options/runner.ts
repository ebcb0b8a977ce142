import { type RunnerTestCase, TestRunner } from 'vitest';
import { ignore } from './ignored.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Options that each test is tried with, or the one that is ignored all the time. */
    ignoring: { readonly each: readonly string[] } | { readonly always: string | undefined };
  }
  interface TaskMeta {
    /** The options whose absence the test notices. */
    noticed?: readonly string[];
  }
}

/** Gives what to ignore next, and is told whether the test has passed. */
type Trial = Generator<string | undefined, void, boolean>;

/**
 * Repeats a test, each time with another option ignored. The test notices an option when it fails twice without it, and
 * passes before and after that. A test that can't be repeated notices nothing.
 */
function* trialOf(options: Set<string>, noticed: string[]): Trial {
  for (const _ of ['once', 'twice']) if (!(yield undefined)) return;
  for (const option of options) {
    if ((yield option) || (yield option)) continue;
    if (!(yield undefined)) return;
    options.delete(option);
    noticed.push(option);
  }
}

/** Most times that such a trial repeats a test. */
const attemptsOf = (options: number): number => 3 + 3 * options;

/** Tries every test of a file with each option ignored, until one notices it. */
export default class IgnoringRunner extends TestRunner {
  /** The options that no test has noticed yet. */
  #left: Set<string> | undefined;
  readonly #trials = new WeakMap<RunnerTestCase, { readonly trial: Trial; readonly noticed: string[] }>();

  override async onBeforeRunTask(test: RunnerTestCase): Promise<void> {
    await super.onBeforeRunTask(test);
    const ignoring = this.injectValue('ignoring');
    if ('always' in ignoring) return ignore(ignoring.always);
    this.#left ??= new Set(ignoring.each);
    if (this.#left.size === 0) test.mode = 'skip';
    const noticed: string[] = [];
    this.#trials.set(test, { trial: trialOf(this.#left, noticed), noticed });
    test.repeats = attemptsOf(this.#left.size);
  }

  override onBeforeTryTask(test: RunnerTestCase, options: { retry: number; repeats: number }): void {
    super.onBeforeTryTask(test, options);
    const tried = this.#trials.get(test);
    if (tried === undefined) return;
    const { value, done } = tried.trial.next(test.result?.attempts?.at(-1)?.state === 'pass');
    ignore(value ?? undefined);
    if (done !== true) return;
    test.meta.noticed = tried.noticed;
    test.context.skip();
  }
}
