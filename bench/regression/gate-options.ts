import { parseArgs } from 'node:util';

export interface GateOptions {
  readonly base: string | undefined;
  readonly tarball: string | undefined;
  readonly grep: string | undefined;
  readonly budgetMinutes: number;
  readonly json: string | undefined;
  readonly markdown: string | undefined;
  readonly seed: number;
  /** Prints the commit of the base and ends, so that CI can name its cache. */
  readonly printBase: boolean;
}

export const USAGE = `npm run perf:regression -- [--base ref | --tarball file] [--grep text] [--budget-minutes n]
                           [--json file] [--markdown file] [--seed n] [--print-base]
  --base            commit, branch or tag to compare with; default: the last release tag, else the merge base with main
  --tarball         compare with a tarball of npm pack
  --grep            only benches whose name contains the text
  --budget-minutes  time for the measurements, 0.5 to 60; default 6, with the builds
  --json            write the report for machines to this file
  --markdown        write the report for a pull request to this file
  --seed            seed of the order of the processes; default: drawn, and printed
  --print-base      print the commit of the base, and measure nothing
Exit code: 0 nothing slower, 1 slower, 2 wrong command line or no bench matches, 3 a build or a bench failed`;

const BUDGET = { min: 0.5, max: 60 } as const;

/** Reads the command line; throws a TypeError that says what is wrong with it. */
export function parseGateOptions(args: readonly string[], drawSeed: () => number): GateOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      base: { type: 'string' },
      tarball: { type: 'string' },
      grep: { type: 'string' },
      'budget-minutes': { type: 'string', default: '6' },
      json: { type: 'string' },
      markdown: { type: 'string' },
      seed: { type: 'string' },
      'print-base': { type: 'boolean', default: false },
    },
  });
  if (values.base !== undefined && values.tarball !== undefined) {
    throw new TypeError('--base and --tarball: both name what to compare with; give one of them');
  }
  const budgetMinutes = Number(values['budget-minutes']);
  if (!(budgetMinutes >= BUDGET.min && budgetMinutes <= BUDGET.max)) {
    const got = values['budget-minutes'];
    throw new TypeError(`--budget-minutes: expected a number from ${BUDGET.min} to ${BUDGET.max}, got ${got}`);
  }
  const seed = values.seed === undefined ? drawSeed() : Number(values.seed);
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
    throw new TypeError(`--seed: expected a whole number from 0 to 4294967295, got ${values.seed}`);
  }
  const { base, tarball, grep, json, markdown } = values;
  return { base, tarball, grep, budgetMinutes, json, markdown, seed, printBase: values['print-base'] };
}
