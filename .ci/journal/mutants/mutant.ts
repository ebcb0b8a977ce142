/** One way in which a piece of code may be written, and how the fault looks there. */
export interface Planting {
  /**
   * The code, found wherever it stands: white space does not count, and exactly one place of `src` must match.
   * A text, or a regular expression where names may change.
   */
  readonly find: string | RegExp;
  /** What stands there instead; `$1` and so on for groups of a regular expression. */
  readonly replace: string;
}

/** A fault that the tests should notice. */
export interface Mutant {
  readonly id: string;
  /** What the planted fault does. */
  readonly fault: string;
  /** Folders of tests that are run first, beside those of `describe-client`. */
  readonly folders: readonly string[];
  /** Newest first. When code is rewritten, its new form is added here; the older ones stay for older commits. */
  readonly plantings: readonly Planting[];
}
