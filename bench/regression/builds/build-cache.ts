import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BuildError, run } from './run-command.ts';

const LOCK = 'package-lock.json';

/** Files and folders that make a build. */
const SOURCES = ['src', 'package.json', LOCK, 'tsup.config.ts', 'tsconfig.json'] as const;

/** Fields of a package.json that decide what is installed. */
const INSTALLED = ['dependencies', 'peerDependencies'] as const;

const KEPT_SECONDS = 7 * 24 * 3_600;

/** Where builds are kept between runs. CI keeps this folder. */
export const cacheFolder = (): string => join(tmpdir(), 'describe-it-perf');

/** Makes builds out of the tree, and keeps each: a folder with `package.json`, `dist` and `node_modules`. */
export class BuildCache {
  readonly #repository: string;
  readonly #folder: string;

  constructor(repository: string, folder: string = cacheFolder()) {
    this.#repository = repository;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** The build of a commit. With modules of its own it is another build than with those of this repository. */
  ofCommit(commit: string): string {
    const lock = run('git', ['show', `${commit}:${LOCK}`], this.#repository);
    const isSameLock = lock === readFileSync(join(this.#repository, LOCK), 'utf8').trim();
    return this.#once(`commit-${commit.slice(0, 12)}${isSameLock ? '' : '-own-modules'}`, (work) => {
      const archive = join(work, 'source.tar');
      run('git', ['archive', '--output', archive, commit, ...SOURCES], this.#repository);
      run('tar', ['-xf', archive, '-C', work], work);
      rmSync(archive);
      this.#compile(work);
    });
  }

  /** The build of the working tree, whatever is committed of it. */
  ofWorkingTree(): string {
    const files = run(
      'git',
      ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...SOURCES],
      this.#repository,
    )
      .split('\0')
      .filter((file) => file !== '' && existsSync(join(this.#repository, file)));
    const hash = createHash('sha256');
    for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(this.#repository, file)));
    return this.#once(`tree-${hash.digest('hex').slice(0, 12)}`, (work) => {
      for (const file of files) cpSync(join(this.#repository, file), join(work, file));
      this.#compile(work);
    });
  }

  /** The build in a tarball of `npm pack`. */
  ofTarball(path: string): string {
    if (!existsSync(path)) throw new BuildError(`--tarball: there is no file ${path}`);
    const digest = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12);
    return this.#once(`tarball-${digest}`, (work) => {
      run('tar', ['-xzf', resolve(path), '--strip-components', '1', '-C', work], work);
      if (!existsSync(join(work, 'dist'))) throw new BuildError(`--tarball: ${path} holds no package/dist`);
      if (this.#installsAsHere(work)) return;
      run('npm', ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], work);
    });
  }

  /** Makes a build once. It appears under its name when it is complete, also where two runs make it at once. */
  #once(name: string, make: (work: string) => void): string {
    const folder = join(this.#folder, name);
    if (!existsSync(folder)) {
      const work = mkdtempSync(join(this.#folder, 'making-'));
      try {
        make(work);
        rmSync(join(work, 'src'), { recursive: true, force: true });
        if (!existsSync(folder)) renameSync(work, folder);
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    }
    this.#linkModules(folder);
    const now = Date.now() / 1_000;
    utimesSync(folder, now, now);
    this.#dropUnused(now);
    return folder;
  }

  /** Builds that no run has used for a week; one with modules of its own takes hundreds of megabytes. */
  #dropUnused(now: number): void {
    for (const name of readdirSync(this.#folder)) {
      if (!/^(commit|tree|tarball|making)-/.test(name)) continue;
      const folder = join(this.#folder, name);
      if (statSync(folder).mtimeMs / 1_000 < now - KEPT_SECONDS) rmSync(folder, { recursive: true, force: true });
    }
  }

  #compile(work: string): void {
    const isSameLock = readFileSync(join(work, LOCK)).equals(readFileSync(join(this.#repository, LOCK)));
    if (isSameLock) this.#linkModules(work);
    // Other versions of openai, ioredis and the rest are part of what base is.
    else run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], work);
    const tsup = join(this.#repository, 'node_modules', 'tsup', 'dist', 'cli-default.js');
    run(process.execPath, [tsup, '--silent', '--no-dts'], work);
    if (isSameLock) rmSync(join(work, 'node_modules'));
  }

  #installsAsHere(work: string): boolean {
    const read = (folder: string) => {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
      return JSON.stringify(INSTALLED.map((field) => manifest[field]));
    };
    return read(work) === read(this.#repository);
  }

  /** A build without modules of its own takes those of this repository, which a restored cache may know elsewhere. */
  #linkModules(folder: string): void {
    const modules = join(folder, 'node_modules');
    if (existsSync(modules)) return;
    rmSync(modules, { force: true });
    symlinkSync(join(this.#repository, 'node_modules'), modules);
  }
}
