import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const folders = ['src', 'bench', 'examples', 'docs', '.ci', '.github'];
const files = folders.flatMap((folder) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.includes('node_modules'))
    .map((path) => `${folder}/${path}`),
);

const configs = [
  'biome.json',
  'knip.json',
  'package.json',
  'tsconfig.json',
  'tsup.config.ts',
  'vitest.config.ts',
  '.size-limit.js',
].map((name) => [name, readFileSync(`${root}${name}`, 'utf8')] as const);

/** Its rules are made from tables, so it is read as what it exports. */
const rules = JSON.stringify(createRequire(import.meta.url)(`${root}.dependency-cruiser.cjs`));

/** Paths in a text, each up to its first wildcard. */
const pathsIn = (text: string): string[] =>
  [...text.matchAll(/(?<![\w./-])(?:src|bench|examples|docs|\.ci|\.github)\/[\w./-]*/g)].map(([path]) =>
    path.replace(/\.$/, ''),
  );

it.each([...configs, ['.dependency-cruiser.cjs', rules] as const])('%s names only paths that exist', (_name, text) => {
  const absent = pathsIn(text).filter((path) => !files.some((file) => `${file}/`.startsWith(path)));
  expect(absent).toEqual([]);
});

const pages = ['README.md', ...files.filter((path) => path.endsWith('.md'))];

it.each(pages)('%s names only files that exist', (page) => {
  const text = readFileSync(`${root}${page}`, 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = '']) => join(dirname(page), link));
  const paths = pathsIn(text).filter((path) => /\.(?:ts|mjs|md)$/.test(path));
  expect([...links, ...paths].filter((path) => !existsSync(`${root}${path}`))).toEqual([]);
});

it('notices a folder that is gone', () => {
  expect(pathsIn('"includes": ["src/gone/**"], from: { path: "^src/errors/gone\\\\.ts" }')).toEqual([
    'src/gone/',
    'src/errors/gone',
  ]);
  expect(existsSync(`${root}src/gone`)).toBe(false);
});
