import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBaseCommit } from './base-commit.ts';
import { BuildCache } from './build-cache.ts';

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

let folder: string;
let repository: string;

/** Git as on a machine without settings. */
const git = (...args: readonly string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
    cwd: repository,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

const write = (path: string, text: string) => writeFileSync(join(repository, path), text);

function commit(value: number): string {
  write('src/index.ts', `export const value: number = ${value};\n`);
  git('add', '.');
  git('commit', '--quiet', '--message', `value ${value}`);
  return git('rev-parse', 'HEAD');
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'describe-it-builds-'));
  repository = join(folder, 'repository');
  mkdirSync(join(repository, 'src'), { recursive: true });
  write('package.json', JSON.stringify({ name: 'a', version: '1.0.0', type: 'module', dependencies: {} }));
  write('package-lock.json', '{}');
  write('tsconfig.json', '{}');
  write('tsup.config.ts', `export default { entry: ['src/index.ts'], format: 'esm' };\n`);
  write('.gitignore', 'node_modules\ndist\n');
  symlinkSync(join(ROOT, 'node_modules'), join(repository, 'node_modules'));
  git('init', '--quiet', '--initial-branch', 'main');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const built = (build: string) => readFileSync(join(build, 'dist', 'index.js'), 'utf8');

describe('BuildCache', () => {
  it('builds a commit, the working tree and a tarball out of the tree, and keeps each', () => {
    const first = commit(1);
    commit(2);
    write('src/index.ts', 'export const value: number = 3;\n');
    const cache = new BuildCache(repository, join(folder, 'builds'));

    const base = cache.ofCommit(first);
    const head = cache.ofWorkingTree();
    expect(built(base)).toContain('value = 1');
    expect(built(head)).toContain('value = 3');
    expect(git('status', '--porcelain')).toBe('M src/index.ts');
    expect(git('worktree', 'list').split('\n')).toHaveLength(1);

    // A second run uses what is there: a mark in it stays.
    writeFileSync(join(base, 'dist', 'index.js'), 'kept');
    expect(cache.ofCommit(first)).toBe(base);
    expect(built(base)).toBe('kept');
    expect(cache.ofWorkingTree()).toBe(head);

    // A build that nobody used for a week goes, and what the cache did not make stays.
    utimesSync(head, 0, 0);
    mkdirSync(join(folder, 'builds', 'compiled'));
    utimesSync(join(folder, 'builds', 'compiled'), 0, 0);
    cache.ofCommit(first);
    expect(readdirSync(join(folder, 'builds')).sort()).toEqual([basename(base), 'compiled'].sort());

    mkdirSync(join(folder, 'package', 'dist'), { recursive: true });
    writeFileSync(join(folder, 'package', 'package.json'), readFileSync(join(repository, 'package.json')));
    writeFileSync(join(folder, 'package', 'dist', 'index.js'), 'packed');
    execFileSync('tar', ['-czf', 'a.tgz', 'package'], { cwd: folder });
    expect(built(cache.ofTarball(join(folder, 'a.tgz')))).toBe('packed');
    expect(() => cache.ofTarball(join(folder, 'absent.tgz'))).toThrow('--tarball: there is no file');
    for (const name of readdirSync(join(folder, 'builds'))) expect(name).not.toMatch(/^making-/);
  });

  it('says what the compiler said, and keeps nothing, when a build fails', () => {
    write('src/index.ts', 'export const = ;\n');
    const cache = new BuildCache(repository, join(folder, 'failed'));
    expect(() => cache.ofWorkingTree()).toThrow(/cli-default\.js .* failed in [\s\S]*Expected identifier/);
    expect(readdirSync(join(folder, 'failed'))).toEqual([]);
    git('checkout', '--quiet', '.');
  });
});

describe('findBaseCommit', () => {
  it('takes the given commit, else the last release tag, else the merge base with main', () => {
    const main = commit(5);
    git('checkout', '--quiet', '-b', 'change');
    commit(6);
    expect(findBaseCommit(repository, undefined)).toEqual({ commit: main, described: 'merge base with main' });
    git('tag', 'v1.2.3', `${main}~1`);
    git('tag', 'vendor', main);
    expect(findBaseCommit(repository, undefined)).toEqual({
      commit: git('rev-parse', 'v1.2.3^{commit}'),
      described: 'release v1.2.3',
    });
    expect(findBaseCommit(repository, 'main')).toEqual({ commit: main, described: 'main' });
    expect(() => findBaseCommit(repository, 'nowhere')).toThrow('git knows no commit nowhere');
  });
});
