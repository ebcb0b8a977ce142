/** The counts of one process. Both sides get the same ones, so that they do the same work in the same state. */
export interface BenchPlan {
  /** Runs before the first sample. */
  readonly warmUpRuns: number;
  /** Runs in one sample. */
  readonly runsPerSample: number;
  readonly samples: number;
}

/** The task of a child process, as JSON in its only argument. */
export interface ChildRequest {
  /** URL of the module that exports `benches`. */
  readonly module: string;
  /** The name of the bench. */
  readonly bench: string;
  /** Folder with `package.json` and `dist`. */
  readonly build: string;
  readonly services: Readonly<Record<string, string>>;
  /** Absent: find the counts. */
  readonly plan?: BenchPlan;
  /** Bytes whose checksum is computed before each run, to slow a bench down on purpose. */
  readonly extraBytes?: number;
  /** Also measure memory. */
  readonly memory?: boolean;
}

/** One value of each measure, from one process. */
export interface ProcessSample {
  /** CPU time of the whole process an operation, in microseconds: the median over the samples. */
  readonly cpu: number;
  /** Wall time an operation, in microseconds: the median over the samples. */
  readonly wall: number;
  /** Bytes of one kept object. */
  readonly memory?: number;
}

/** The answer of a child process, as JSON on its last line. */
export type ChildAnswer =
  | { readonly kind: 'plan'; readonly plan: BenchPlan; readonly operations: number }
  | { readonly kind: 'sample'; readonly sample: ProcessSample };
