import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The machine, as far as the set-up needs it. Tests pass their own. */
export interface Machine {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The command ended with code 0. */
  readonly runs: (command: string, ...args: readonly string[]) => boolean;
  /** Debian or a child of it, and this process is root: apt-get works without a question. */
  readonly mayInstall: boolean;
  readonly tell: (line: string) => void;
}

const thisMachine: Machine = {
  environment: process.env,
  runs: (command, ...args) =>
    spawnSync(command, args, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).status ===
    0,
  mayInstall: existsSync('/etc/debian_version') && process.getuid?.() === 0,
  tell: (line) => console.log(line),
};

/** Workers that run side by side install once: the second waits here, and then finds a server. */
const LOCK = join(tmpdir(), 'describe-it-redis-install.lock');
/** `apt-get` is asked only when the worker that had the lock before did not install one. */
const INSTALL = `redis-server --version || { apt-get update -qq -o Acquire::Retries=0; apt-get install -y -qq --no-install-recommends redis-server; }`;

/**
 * Makes sure that there is a redis-server to start; a Redis that already runs is never used. On Debian as root, a
 * missing one is installed.
 * @throws when there is none; the message says what to do.
 */
export function ensureRedisServer({ environment, runs, mayInstall, tell }: Machine = thisMachine): void {
  const named = environment['REDIS_SERVER'];
  if (named) {
    if (runs(named, '--version')) return;
    throw new Error(`REDIS_SERVER names ${named}, which does not run. Correct it, or unset it to use the one on PATH.`);
  }
  if (runs('redis-server', '--version')) return;
  const advice =
    'Install it (apt-get install redis-server, or brew install redis) or let REDIS_SERVER name one. Tests of other files run without it.';
  if (!mayInstall) throw new Error(`These tests start redis-server, and there is none on PATH. ${advice}`);
  tell('redis-server is missing: installing it with apt-get');
  runs('flock', LOCK, 'sh', '-c', INSTALL);
  if (!runs('redis-server', '--version'))
    throw new Error(`These tests start redis-server, and apt-get could not install it. ${advice}`);
}
