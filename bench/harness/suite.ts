import { type Gates, listGates } from './gate.ts';

/** One measurement that a contender took by itself, for instance in a process of its own. Lower is better. */
export interface Sample {
  readonly value: number;
  /** CPU time of one operation, in milliseconds. */
  readonly cpuMs?: number;
}

/** A contender whose calls the harness times. */
export interface TimedContender<Context> {
  /** One run. Its result is verified: `undefined` without a `verify` fails, because no work is proved. */
  run(context: Context): unknown;
  /** Throws, or returns false, when the (awaited) result of a run is wrong. @defaultValue the suite's */
  verify?(result: unknown, context: Context): unknown;
  /** Operations in one run; times are shown per operation. @defaultValue 1 */
  readonly operations?: number;
  /** Called untimed before each slice of a round, to start from the same state. */
  beforeSlice?(context: Context): unknown;
  /**
   * Called untimed after each slice with the operations done since `beforeSlice`; throws when they are not all seen.
   */
  afterSlice?(context: Context, operations: number): unknown;
}

/** A contender that measures itself, once in each round. */
export interface SampledContender<Context> {
  sample(context: Context): Sample | Promise<Sample>;
}

export type Contender<Context> = ((context: Context) => unknown) | TimedContender<Context> | SampledContender<Context>;

export interface SuiteDefinition<Context> {
  /** `--grep` matches it. */
  readonly name: string;
  /** The contender that the others are compared with. */
  readonly baseline: string;
  readonly contenders: Readonly<Record<string, Contender<Context>>>;
  /** Limits by contender. */
  readonly gates?: Readonly<Record<string, Gates>>;
  /** Makes what every contender gets; runs once before the first round. */
  setup?(): Context | Promise<Context>;
  /** Runs once at the end, also after a failure. */
  teardown?(context: Context): unknown;
  /** Verifies the results of every contender without a `verify` of its own. */
  verify?(result: unknown, context: Context): unknown;
  /** Rounds unless the command line says otherwise. @defaultValue 15 */
  readonly rounds?: number;
  /** Least time that one contender is measured in one round, in milliseconds. @defaultValue 60 */
  readonly sliceMs?: number;
  /** Time that a contender runs unmeasured in its process, so that its code is compiled. @defaultValue 200 */
  readonly warmUpMs?: number;
  /** Unit of self-measured samples. @defaultValue 'ms' */
  readonly unit?: string;
  /** The contenders of this package. @defaultValue those with a gate */
  readonly ours?: readonly string[];
  /** Contenders that are no peers but less work than was asked for: they show what the least could cost. */
  readonly floors?: readonly string[];
  /** `growth`: compares this package with itself, or with a fixed number, so that nobody wins. @defaultValue 'peers' */
  readonly kind?: 'peers' | 'growth';
  /** Peers that could not take part, with the reason, which every report repeats. */
  readonly leftOut?: Readonly<Record<string, string>>;
}

/** A contender bound to the suite's context. */
export type PreparedContender = { readonly name: string } & (
  | { readonly kind: 'sampled'; sample(): Sample | Promise<Sample> }
  | {
      readonly kind: 'timed';
      readonly operations: number;
      run(): unknown;
      verify(result: unknown): void;
      beforeSlice(): unknown;
      afterSlice(operations: number): unknown;
    }
);

export interface PreparedSuite {
  readonly contenders: readonly PreparedContender[];
  teardown(): Promise<void>;
}

/** A suite whose context type is hidden, so that different suites fit in one list. */
export interface Suite extends Omit<SuiteDefinition<never>, 'contenders' | 'setup' | 'teardown' | 'verify'> {
  readonly contenderNames: readonly string[];
  /** Contenders whose calls the harness times; the others measure themselves. */
  readonly timedNames: readonly string[];
  /** @param noOp - A contender to replace by one that claims success and does nothing, for tests of the checks. */
  prepare(noOp?: string): Promise<PreparedSuite>;
}

/**
 * Describes contenders that are measured against each other. See bench/README.md.
 * Throws at once when the baseline or a gate names no contender.
 */
export function defineSuite<Context = undefined>(definition: SuiteDefinition<Context>): Suite {
  const { contenders, setup, teardown, verify, ...rest } = definition;
  const contenderNames = Object.keys(contenders);
  const gated = Object.entries(rest.gates ?? {}).flatMap(([name, gates]) => [
    name,
    ...listGates(gates).map(({ versus = rest.baseline }) => versus),
  ]);
  for (const name of [rest.baseline, ...gated, ...(rest.ours ?? []), ...(rest.floors ?? [])]) {
    if (!contenderNames.includes(name)) throw new RangeError(`${rest.name}: no contender is called ${name}`);
  }
  return {
    ...rest,
    contenderNames,
    timedNames: contenderNames.filter((name) => !isSampled(contenders[name] as Contender<Context>)),
    async prepare(noOp) {
      const context = (await setup?.()) as Context;
      return {
        contenders: contenderNames.map((name) => {
          const contender = contenders[name] as Contender<Context>;
          return prepareContender(name, name === noOp ? withoutWork(contender) : contender, context, verify);
        }),
        teardown: async () => {
          await teardown?.(context);
        },
      };
    },
  };
}

const isSampled = <Context>(contender: Contender<Context>): contender is SampledContender<Context> =>
  typeof contender === 'object' && 'sample' in contender;

/** Keeps the contender's checks, so that they are what refuses it. */
function withoutWork<Context>(contender: Contender<Context>): Contender<Context> {
  if (isSampled(contender)) return { sample: () => ({ value: 0 }) };
  const rest = typeof contender === 'function' ? {} : contender;
  return { ...rest, run: async () => true };
}

function prepareContender<Context>(
  name: string,
  contender: Contender<Context>,
  context: Context,
  suiteVerify: SuiteDefinition<Context>['verify'],
): PreparedContender {
  if (isSampled(contender)) return { name, kind: 'sampled', sample: () => contender.sample(context) };
  const timed: TimedContender<Context> = typeof contender === 'function' ? { run: contender } : contender;
  const verify = timed.verify ?? suiteVerify;
  return {
    name,
    kind: 'timed',
    operations: timed.operations ?? 1,
    run: () => timed.run(context),
    verify: (result) => {
      if (verify === undefined ? result === undefined || result === false : verify(result, context) === false) {
        throw new Error(`${name}: the result is wrong${verify === undefined ? ', or nothing was returned' : ''}`);
      }
    },
    beforeSlice: () => timed.beforeSlice?.(context),
    afterSlice: (operations) => timed.afterSlice?.(context, operations),
  };
}
