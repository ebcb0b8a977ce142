import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ChildAnswer, ChildRequest } from './plan.ts';

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));
const execute = promisify(execFile);

/** A process that takes longer hangs: a usual one takes half a second. */
const TIMEOUT_MS = 60_000;

/** Runs one process to its end. Rejects with what it printed when it fails, also when its work check fails. */
export async function runChild(request: ChildRequest, compileCache: string): Promise<ChildAnswer> {
  // Compiled code is kept between the processes, so that a process spends its time on the bench and not on the start.
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
  try {
    const { stdout } = await execute(process.execPath, [CHILD, JSON.stringify(request)], { env, timeout: TIMEOUT_MS });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as ChildAnswer;
  } catch (cause) {
    throw new Error(reasonOf(cause), { cause });
  }
}

/** The line of the error in what the process printed, without the stack. */
function reasonOf(cause: unknown): string {
  const { stderr, killed, message } = cause as { stderr?: string; killed?: boolean; message?: string };
  if (killed === true) return `the process took longer than ${TIMEOUT_MS / 1_000} s`;
  const line = stderr?.split('\n').find((text) => /^(\w*Error\b|\w+: )/.test(text));
  return line ?? stderr?.trim().slice(-300) ?? String(message);
}
