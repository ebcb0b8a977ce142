import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../runtimes.ts';
import { fileOf } from './ignore.ts';

const source = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');

const TESTS = ['src', 'examples'].flatMap((folder) =>
  readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .map((path) => ({ path: join(folder, path), text: source(join(folder, path)) })),
);

const count = (text: string, pattern: string): number => text.match(new RegExp(pattern, 'g'))?.length ?? 0;

/**
 * Names that a test must have to notice: of the option, of the options that nest it, and of the method that takes it.
 */
function namesOf(option: string): readonly string[] {
  const [owner = '', ...path] = option.split(/\.(?!asyncDispose)/);
  const names = path.filter((name) => name !== '[]').map((name) => `\\b${name}\\b`);
  if (owner === 'member') return path[0] === '[Symbol.asyncDispose]' ? ['await using'] : [`\\.${names[0]}`];
  const call = CALLS[owner];
  return call === undefined ? names : [call, ...names];
}

/** How a test calls the method that takes an option. */
const CALLS: Readonly<Record<string, string>> = {
  describeMany: '\\b(?:describeMany|describeEach)\\(',
  warm: '\\b(?:warm|warmCache)\\(',
  estimate: '\\b(?:estimate|estimateCalls)\\(',
  withKey: '\\bwithKey\\(',
};

const found = new Map<string, readonly string[]>();

/**
 * Tests of the client, or of the class, that name the option. The likeliest to notice is first: its name stands in the
 * title of a test, then where it is given or called.
 */
export function testsOf(option: string): readonly string[] {
  const tests = found.get(option) ?? search(option);
  found.set(option, tests);
  return tests;
}

function search(option: string): readonly string[] {
  const names = namesOf(option);
  const [word = ''] = names.slice(-1);
  const used = option.startsWith('member.') ? word : `${word}(?=\\s*[:,} ])`;
  const [folder = ''] = /^src\/[^/]+/.exec(fileOf(option)) ?? [];
  const isOfClient = folder === 'src/describe-client';
  const named = TESTS.filter(
    ({ path, text }) =>
      (path.startsWith(`${folder}/`) || (isOfClient && text.includes('createDescribeClient'))) &&
      names.every((name) => count(text, name) > 0),
  );
  const scored = named.map(({ path, text }) => {
    const titled = count(text, `\\b(?:it|describe)(?:\\.\\w+)?\\(.*${word}`);
    return { path, score: (5 * titled + 2 * count(text, used) + count(text, word)) / Math.sqrt(text.length) };
  });
  return scored.sort((left, right) => right.score - left.score).map(({ path }) => path);
}
