import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './runtimes.ts';

/** A Markdown table of rows, the first of which is its head. */
export const tableOf = ([head = [], ...rows]: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** Prints a text and puts it between `<!-- name -->` and `<!-- /name -->` of a page. */
export function writeMarked(page: string, name: string, text: string): void {
  console.log(text);
  const path = join(repositoryRoot, page);
  const marked = new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(\\n<!-- /${name} -->)`);
  const before = readFileSync(path, 'utf8');
  if (!marked.test(before)) throw new Error(`${page} has no marks for ${name}`);
  writeFileSync(
    path,
    before.replace(marked, (_, start: string, end: string) => start + text + end),
  );
}
