type Failing = string | undefined;

/**
 * Runs test files, or tests given as `<file>: <title>`, with the fault planted, or without it. Gives the first test that
 * fails, as `<file>: <title>`.
 */
export type RunTests = (tests: readonly string[], isPlanted: boolean) => Failing | Promise<Failing>;

/** Finds the tests that notice planted faults. On a busy machine a test may fail without a fault, once or always. */
export class FaultFinder {
  /** Whether a file passes without any fault, where that was tried. */
  readonly #isGreen = new Map<string, boolean>();

  /** Test files that fail without a fault: they are run no more. */
  get leftOut(): readonly string[] {
    return [...this.#isGreen].filter(([, isGreen]) => !isGreen).map(([file]) => file);
  }

  /**
   * The first test that fails twice with the fault and passes without it; undefined where none does. A run whose
   * failure names none of the files, for it did not end, is believed.
   */
  async noticedBy(files: readonly string[], run: RunTests): Promise<string | undefined> {
    let left = files.filter((file) => this.#isGreen.get(file) !== false);
    while (left.length > 0) {
      const by = await run(left, true);
      if (by === undefined) return undefined;
      const [file = ''] = by.split(':');
      if (!left.includes(file)) return by;
      if ((await run([file], true)) !== undefined && (await this.#passes(file, run))) return by;
      left = left.filter((other) => other !== file);
    }
    return undefined;
  }

  /** Whether a test that noticed this very fault in an earlier run notices it again. */
  async stillNotices(test: string, run: RunTests): Promise<boolean> {
    return (await run([test], true)) !== undefined && (await this.#passes(test, run));
  }

  async #passes(tests: string, run: RunTests): Promise<boolean> {
    const isGreen = this.#isGreen.get(tests) ?? (await run([tests], false)) === undefined;
    this.#isGreen.set(tests, isGreen);
    return isGreen;
  }
}
