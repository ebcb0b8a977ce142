import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';

/** A build, a git command or an install did not work. The gate then exits with 3. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
}

/** More than any lock file has. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Runs a command to its end and gives what it printed. */
export function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: MAX_OUTPUT_BYTES,
    }).trim();
  } catch (cause) {
    const { stderr, stdout } = cause as { stderr?: string; stdout?: string };
    const lines = `${stderr ?? ''}${stdout ?? ''}`
      .split('\n')
      .filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
    const named = [command, ...args].map((part) => basename(part)).join(' ');
    throw new BuildError(`${named} failed in ${cwd}:\n${lines.slice(-12).join('\n')}`, { cause });
  }
}
