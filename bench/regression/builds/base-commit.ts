import { BuildError, run } from './run-command.ts';

export interface BaseCommit {
  readonly commit: string;
  /** How it was found, for the report. */
  readonly described: string;
}

/** The commit to compare with: the given one, else the last release tag, else the merge base with main. */
export function findBaseCommit(repository: string, ref: string | undefined): BaseCommit {
  const git = (...args: readonly string[]) => run('git', args, repository);
  const attempt = (...args: readonly string[]) => {
    try {
      return git(...args);
    } catch {
      return undefined;
    }
  };
  const commitOf = (name: string) => attempt('rev-parse', '--verify', '--quiet', `${name}^{commit}`);
  if (ref !== undefined) {
    const commit = commitOf(ref);
    if (commit === undefined) throw new BuildError(`--base: git knows no commit ${ref}; fetch it, or name another`);
    return { commit, described: ref };
  }
  const tag = attempt('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*');
  if (tag) return { commit: git('rev-parse', `${tag}^{commit}`), described: `release ${tag}` };
  for (const main of ['origin/main', 'main']) {
    const commit = attempt('merge-base', 'HEAD', main);
    if (commit) return { commit, described: `merge base with ${main}` };
  }
  throw new BuildError('there is no release tag and no main branch; name a commit with --base');
}
