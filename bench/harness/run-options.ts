import { parseArgs } from 'node:util';

export interface RunOptions {
  /** Only suites whose name, or whose file's name, contains it. */
  readonly grep: string | undefined;
  /** Where to write the report as JSON. */
  readonly json: string | undefined;
  readonly rounds: number | undefined;
  readonly sliceMs: number | undefined;
  readonly warmUpMs: number | undefined;
  readonly quick: boolean;
  /** Continue the last run that was stopped, if it asked for the same. */
  readonly resume: boolean;
}

export const USAGE = `npm run perf:benchmark -- [--grep text] [--rounds n] [--quick] [--resume] [--json file]
  --grep    only suites whose name or file name contains the text
  --rounds  rounds of every suite
  --quick   3 rounds of short slices: proves that the benches run, not how fast; judges no gate
  --resume  goes on where the last run with the same options was stopped
  --json    also write the report to this file`;

const QUICK = { rounds: 3, sliceMs: 15, warmUpMs: 0 } as const;

/** Reads the command line; throws a TypeError that says what is wrong with it. */
export function parseRunOptions(args: readonly string[]): RunOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      grep: { type: 'string' },
      json: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      resume: { type: 'boolean', default: false },
    },
  });
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 2)) {
    throw new TypeError(`--rounds: expected a whole number of at least 2, got ${values.rounds}`);
  }
  return {
    grep: values.grep?.toLowerCase(),
    json: values.json,
    rounds: rounds ?? (values.quick ? QUICK.rounds : undefined),
    sliceMs: values.quick ? QUICK.sliceMs : undefined,
    warmUpMs: values.quick ? QUICK.warmUpMs : undefined,
    quick: values.quick,
    resume: values.resume,
  };
}
