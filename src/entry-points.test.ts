import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import * as root from './index.ts';

const MOST_NAMES = 150;

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const manifest = JSON.parse(read('package.json'));
const entryPoints = Object.keys(manifest.exports).filter((name) => name !== './package.json');

/** The names that a barrel exports, types included. Fails for `export *`, which lets names out that nobody chose. */
const namesOf = (path: string): readonly string[] =>
  ts
    .createSourceFile(path, read(path), ts.ScriptTarget.Latest)
    .statements.filter(ts.isExportDeclaration)
    .flatMap(({ exportClause }) => {
      if (exportClause === undefined || !ts.isNamedExports(exportClause)) throw new Error(`${path} has an "export *"`);
      return exportClause.elements.map(({ name }) => name.text);
    });

describe('the entry points', () => {
  it(`export at most ${MOST_NAMES} names from the root`, () => {
    const names = namesOf('src/index.ts');
    expect(names).toEqual(expect.arrayContaining(Object.keys(root)));
    expect(names.length).toBeLessThanOrEqual(MOST_NAMES);
  });

  it('name every export', () => {
    for (const entry of entryPoints.filter((name) => name !== '.')) {
      expect(namesOf(`src${entry.slice(1)}/index.ts`)).not.toEqual([]);
    }
  });

  it('each have a bound of their size, a place in the build and types for old resolution', async () => {
    const { default: budgets } = await import(new URL('../.size-limit.js', import.meta.url).href);
    expect(budgets.map(({ path }: { readonly path: string }) => path)).toEqual(
      entryPoints.map((name) => (name === '.' ? 'dist/index.js' : `dist${name.slice(1)}.js`)),
    );
    expect(['.', ...Object.keys(manifest.typesVersions['*']).map((name) => `./${name}`)]).toEqual(entryPoints);
    const build = read('tsup.config.ts');
    for (const entry of entryPoints.slice(1)) expect(build).toContain(`'src${entry.slice(1)}/index.ts'`);
  });
});
