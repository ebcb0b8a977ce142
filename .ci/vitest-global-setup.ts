import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const answers = (command: string) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** Makes sure that a redis-server is there to start; a Redis that is already running is never used. */
export default function setup(): void {
  const named = process.env['REDIS_SERVER'];
  if (answers(named ?? 'redis-server')) return;
  if (named !== undefined) throw new Error(`REDIS_SERVER names ${named}, which does not run`);
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) {
    throw new Error(
      'The tests need redis-server on the PATH: apt-get install redis-server, or brew install redis',
    );
  }
  console.log('redis-server is missing: installing it with apt-get');
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: readonly string[]) =>
    spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: environment }).status === 0;
  apt('update', '-qq');
  if (!apt('install', '-y', '-qq', '--no-install-recommends', 'redis-server') || !answers('redis-server')) {
    throw new Error(
      'apt-get could not install redis-server: install it by hand, or point REDIS_SERVER at one',
    );
  }
}
