import { execFileSync } from 'node:child_process';

/** A build, a git command or an install did not work. The gate then exits with 3. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
}

/** Runs a command to its end and gives what it printed. */
export function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  } catch (cause) {
    const { stderr, stdout } = cause as { stderr?: string; stdout?: string };
    const said = `${stderr ?? ''}${stdout ?? ''}`.trim().split('\n').slice(-8).join('\n');
    throw new BuildError(`${command} ${args.join(' ')} failed: ${said}`, { cause });
  }
}
