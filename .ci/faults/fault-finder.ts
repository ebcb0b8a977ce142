/** Runs test files with the fault planted, or without it. Gives the first test that fails, as `<file>: <title>`. */
export type RunTests = (files: readonly string[], isPlanted: boolean) => string | undefined;

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
  noticedBy(files: readonly string[], run: RunTests): string | undefined {
    let left = files.filter((file) => this.#isGreen.get(file) !== false);
    while (left.length > 0) {
      const by = run(left, true);
      if (by === undefined) return undefined;
      const [file = ''] = by.split(':');
      if (!left.includes(file)) return by;
      if (run([file], true) !== undefined && this.#passes(file, run)) return by;
      left = left.filter((other) => other !== file);
    }
    return undefined;
  }

  #passes(file: string, run: RunTests): boolean {
    const isGreen = this.#isGreen.get(file) ?? run([file], false) === undefined;
    this.#isGreen.set(file, isGreen);
    return isGreen;
  }
}
