import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ContenderOptions } from './measure-contender.ts';
import type { Slice } from './timed-slice.ts';

export interface ContenderTask {
  /** URL of the file of the suite. */
  readonly file: string;
  readonly suite: string;
  readonly contender: string;
  readonly options: ContenderOptions;
}

const CHILD = fileURLToPath(new URL('./contender-child.ts', import.meta.url));
/** Stripped types and compiled code, so that a process loads its bench in a fraction of the time. */
const CACHE = fileURLToPath(new URL('../../.cache/bench', import.meta.url));
const TIMEOUT_MS = 300_000;
const MAX_ERROR_CHARACTERS = 4_000;

/** Measures one contender once, in a process of its own. Rejects with what that process wrote when it fails. */
export async function measureInProcess(task: ContenderTask): Promise<Slice> {
  const child = fork(CHILD, [JSON.stringify(task)], {
    execArgv: [],
    env: { ...process.env, NODE_COMPILE_CACHE: CACHE },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let slice: Slice | undefined;
  let errors = '';
  child.on('message', (message) => {
    slice = message as Slice;
  });
  child.stderr?.on('data', (text: Buffer) => {
    errors = (errors + text).slice(-MAX_ERROR_CHARACTERS);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...ended) => resolve(ended));
  });
  if (slice !== undefined && code === 0) return slice;
  throw new Error(`${task.contender}: its process ended with ${code ?? signal}\n${errors}`);
}
