import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutant, Planting } from './mutant.ts';

/** A file of `src` that is neither a test nor the testing kit. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Where a mutant is planted, or why it can not be. */
export type Planted = { readonly path: string; readonly text: string } | { readonly gone: string };

export const sourcesOf = (root: string): Source[] =>
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.(test|fixture|test-d|bundled)\.ts$/.test(path))
    .map((path) => join('src', path))
    .filter((path) => !path.startsWith(join('src', 'testing')))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** Finds the one place of a mutant's code, whatever its file, and writes the fault there. */
export function plant({ plantings }: Mutant, sources: readonly Source[]): Planted {
  let gone = 'no such code';
  for (const { find, replace } of plantings) {
    const places = sources.flatMap(({ path, text }) =>
      [...text.matchAll(patternOf(find))].map((match) => ({ path, text, match })),
    );
    const [place] = places;
    if (places.length > 1) gone = `${places.length} places, such as ${place?.path}`;
    if (place === undefined || places.length > 1) continue;
    const { path, text, match } = place;
    const written = replace.replace(/\$(\d)/g, (_, group) => match[Number(group)] ?? '');
    return { path, text: text.slice(0, match.index) + written + text.slice(match.index + match[0].length) };
  }
  return { gone };
}

/** White space may be of any length wherever the text has some, and may be missing or added beside brackets. */
function patternOf(find: Planting['find']): RegExp {
  if (find instanceof RegExp) return new RegExp(find.source, 'g');
  const words = find.trim().split(/\s+|(?<=[([{])|(?=[)\]}])/);
  return new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s*,?\\s*'), 'g');
}
