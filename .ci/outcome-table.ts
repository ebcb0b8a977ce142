// Runs every outcome of .ci/outcomes against the fake server, and prints what each does to the parts of a client into
// docs/outcomes.md, between its markers: `node .ci/outcome-table.ts`.
import { pathToFileURL } from 'node:url';
import { tableOf, writeMarked } from './marked-table.ts';
import { OUTCOMES, type Outcome, STREAM_OUTCOMES } from './outcomes/outcome.ts';
import { type CallForm, type Effects, effectsOf } from './outcomes/run-outcome.ts';
import { fakeTarget } from './outcomes/target.ts';

export const PAGE = 'docs/outcomes.md';
export const FORMS = ['single', 'pack', 'stream'] as const satisfies readonly CallForm[];

const HEADS: Readonly<Record<keyof Effects, string>> = {
  ends: 'ends as',
  breaker: 'breaker',
  quota: 'quota',
  pool: 'connection',
  cache: 'cache',
  retry: 'retry budget',
  fallback: 'fallback',
  monitor: 'monitor',
  bill: 'bill',
};

export const outcomesOf = (form: CallForm): readonly Outcome[] =>
  form === 'stream' ? [...OUTCOMES, ...STREAM_OUTCOMES] : OUTCOMES;

/** The table of a form, from a run of every outcome. */
export async function outcomeTable(form: CallForm, api: 'chat' | 'responses' = 'chat'): Promise<string> {
  const rows: string[][] = [];
  for (const outcome of outcomesOf(form)) {
    const effects = await effectsOf({ outcome, form, openTarget: fakeTarget, options: { api } });
    rows.push([outcome.name, ...Object.values(effects)]);
  }
  return tableOf([['outcome', ...Object.values(HEADS)], ...rows]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const form of FORMS) writeMarked(PAGE, `outcomes: ${form}`, await outcomeTable(form));
}
