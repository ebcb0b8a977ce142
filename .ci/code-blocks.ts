import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './runtimes.ts';

/** A fenced TypeScript block of a page or of a doc comment. */
export interface CodeBlock {
  /** File it stands in, from the root of the repository. */
  readonly file: string;
  readonly line: number;
  readonly code: string;
}

const FENCE = /```ts\n([\s\S]*?)```/g;

const blocksOf = (file: string, text: string, clean: (code: string) => string): CodeBlock[] =>
  [...text.matchAll(FENCE)].map((match) => ({
    file,
    line: text.slice(0, match.index).split('\n').length,
    code: clean(match[1] ?? ''),
  }));

const read = (file: string) => readFileSync(join(repositoryRoot, file), 'utf8');

/** The blocks of a Markdown page. */
export const blocksOfPage = (file: string): CodeBlock[] => blocksOf(file, read(file), (code) => code);

/** Every page for users. */
export const pages = (): string[] => [
  'README.md',
  ...globSync('docs/**/*.md', { cwd: repositoryRoot }).filter((file) => !file.includes('decisions')),
];

/** The `@example` blocks of the source. */
export const blocksOfComments = (): CodeBlock[] =>
  globSync('src/**/*.ts', { cwd: repositoryRoot })
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => {
      // A fence inside a doc comment has ` * ` before each line.
      const text = read(file).replaceAll(/^[ \t]*\* ?/gm, '');
      return blocksOf(file, text, (code) => code);
    });
