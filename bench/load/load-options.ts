import { parseArgs } from 'node:util';
import { WIRINGS, type Wiring } from './compose.ts';
import { LOAD_TESTS } from './load-tests.ts';
import { PLANTS, type Plant } from './plants.ts';

export interface LoadOptions {
  /** Only tests whose name contains it. */
  readonly grep: string | undefined;
  /** Length of the soak. */
  readonly minutes: number;
  /** A further file for the report. */
  readonly json: string | undefined;
  readonly wiring: Wiring;
  /** A leak to plant in the soak. */
  readonly plant: Plant | undefined;
}

export const USAGE = `npm run perf:test -- [--grep text] [--minutes n] [--json file] [--wiring sdk|stock]
  --grep     only tests whose name contains the text
  --minutes  length of the soak, 0.5 to 720; 10 unless given
  --json     also write the report to this file
  --wiring   sdk, or stock: the bare openai client, to compare with
  --plant    listener, map or socket: a leak that the soak must find

Tests:
${LOAD_TESTS.map((name) => `  ${name}`).join('\n')}`;

const MIN_MINUTES = 0.5;
const MAX_MINUTES = 720;

function oneOf<Choice extends string>(option: string, choices: readonly Choice[], given: string): Choice {
  const choice = choices.find((each) => each === given);
  if (choice === undefined) throw new TypeError(`--${option}: expected ${choices.join(' or ')}, got ${given}`);
  return choice;
}

/** Reads the command line; throws a TypeError that says what is wrong with it. */
export function parseLoadOptions(args: readonly string[]): LoadOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      grep: { type: 'string' },
      minutes: { type: 'string', default: '10' },
      json: { type: 'string' },
      wiring: { type: 'string', default: 'sdk' },
      plant: { type: 'string' },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes >= MIN_MINUTES && minutes <= MAX_MINUTES)) {
    throw new TypeError(`--minutes: expected a number from ${MIN_MINUTES} to ${MAX_MINUTES}, got ${values.minutes}`);
  }
  return {
    grep: values.grep,
    minutes,
    json: values.json,
    wiring: oneOf('wiring', WIRINGS, values.wiring),
    plant: values.plant === undefined ? undefined : oneOf('plant', PLANTS, values.plant),
  };
}
