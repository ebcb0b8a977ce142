import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Majors of Node that the package promises to run on. */
export const NODE_MAJORS = [20, 22, 24, 26] as const;

export const repositoryRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** One Node of a major version, from the npm package `node`, and the npm of this machine run by it. */
export interface Runtime {
  readonly major: number;
  readonly node: string;
}

/** Runs a command to its end and returns what it printed; throws with all of it when it fails. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number },
): string {
  const { cwd, env = process.env, timeoutMs = 180_000 } = options;
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env,
    encoding: 'utf8',
    timeout: timeoutMs,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')} failed (${status ?? error?.message})\n${stdout}\n${stderr}`);
}

/** Installs each Node once under `.cache`, which CI keeps between runs. */
export function installRuntime(major: number): Runtime {
  const folder = join(repositoryRoot, '.cache', 'nodes', String(major));
  const node = join(folder, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ private: true, dependencies: { node: String(major) }, allowScripts: { node: true } }),
    );
    runCommand('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
  }
  return { major, node };
}

/**
 * The environment in which `node`, and so npm, is this runtime: npm picks dependency versions by the Node it runs on.
 */
export function environmentOf({ node }: Runtime): NodeJS.ProcessEnv {
  const { npm_config_user_agent: _agent, npm_node_execpath: _node, ...environment } = process.env;
  return { ...environment, PATH: `${dirname(node)}:${environment['PATH'] ?? ''}` };
}
