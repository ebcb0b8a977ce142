import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FAILURE_TABLE, type FailureRow } from '../src/errors/failure-table.ts';
import { repositoryRoot } from './runtimes.ts';

/** Prints the table of failures into `docs/errors.md`, between its markers: `node .ci/failure-table.ts`. */
const PAGE = join(repositoryRoot, 'docs', 'errors.md');
const BEGIN = '<!-- failures: printed by .ci/failure-table.ts -->';
const END = '<!-- end of failures -->';

const HEAD = [
  'code',
  'case',
  'kind',
  'scope',
  'retried',
  'counts for the breaker',
  'falls back',
  'asks another endpoint',
  'at fault in a pack',
  'joined calls ask again',
  'why',
];
const MOVES = { always: 'yes', unsent: 'when nothing was sent', never: 'no' } as const;
const BLAMES = { item: 'one image', size: 'its size', pack: 'no image' } as const;

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const cellsOf = ({ code, when, why = '', ...meaning }: FailureRow): string[] => [
  // Not in code style: a test finds the first table of the page, which lists each code once, by that style.
  code,
  when ?? '',
  meaning.kind,
  meaning.scope,
  meaning.raisesLimit ? 'once, with twice the limit' : yesNo(meaning.isRetried),
  yesNo(meaning.countsForBreaker),
  yesNo(meaning.fallsBack),
  MOVES[meaning.moves],
  BLAMES[meaning.blames],
  yesNo(meaning.isRetried || meaning.joinedCallAsks),
  why,
];

const printedTable = (): string =>
  [line(HEAD), line(HEAD.map(() => '---')), ...FAILURE_TABLE.map((row) => line(cellsOf(row)))].join('\n');

/** The page as it is, and as it would be printed anew. */
export function failurePage(): { readonly current: string; readonly printed: string } {
  const current = readFileSync(PAGE, 'utf8');
  const [before, rest] = current.split(BEGIN);
  const [, after] = (rest ?? '').split(END);
  if (before === undefined || after === undefined) throw new Error(`${PAGE} lacks the markers of the table`);
  return { current, printed: `${before}${BEGIN}\n\n${printedTable()}\n\n${END}${after}` };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(PAGE, failurePage().printed);
}
