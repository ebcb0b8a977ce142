import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { ConfigError } from '../errors/config-error.ts';
import { Deferred } from '../internal/async/deferred.ts';
import { withTimeout } from '../internal/async/signals.ts';
import { bindMethods } from '../internal/bind-methods.ts';

export interface RedisServerOptions {
  /** More arguments for redis-server, such as `['--maxmemory', '4mb']`. They win over the helper's own. */
  readonly args?: readonly string[];
  /** Lines of a configuration file, for a Sentinel, which insists on one and writes to it. */
  readonly config?: readonly string[];
  /** Fixed port on 127.0.0.1. @defaultValue a free one */
  readonly port?: number;
  /** Milliseconds until a server that has not said that it is ready counts as failed. @defaultValue 10000 */
  readonly startTimeoutMs?: number;
}

/**
 * Where the redis-server binary is: the environment variable `REDIS_SERVER`, else the first one on `PATH`, else
 * `undefined`.
 */
export function findRedisServer(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const named = environment['REDIS_SERVER'];
  if (named) return isExecutable(named) ? named : undefined;
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, 'redis-server')).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

/**
 * Starts a real redis-server on a free port of 127.0.0.1, without persistence, in a folder of its own that is removed
 * afterwards. It dies with this process, even when this process is killed.
 *
 * @throws `DESCRIBE_CONFIG_INVALID` when there is no redis-server.
 *
 * @example
 * ```ts
 * import { startRedisServer } from '@describe-it/sdk/testing';
 *
 * const redis = await startRedisServer();
 * redis.pause(); // hangs, as a Redis on a dead host does
 * redis.resume();
 * await redis.kill();
 * await redis.restart(); // same port, empty
 * await redis.stop();
 * ```
 */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = findRedisServer();
  if (binary === undefined) {
    const expected = 'an executable redis-server, here or on PATH';
    const got = process.env['REDIS_SERVER'] ? 'a path that is not executable' : 'nothing';
    throw new ConfigError('startRedisServer', [{ option: 'REDIS_SERVER', expected, got }]);
  }
  const triesLeft = options.port === undefined ? 3 : 1;
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await findFreePort());
    const server = bindMethods(new RedisServer(binary, port, options));
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      // Another process may have taken the port between the search and the start.
      if (attempt >= triesLeft) throw error;
    }
  }
}

/**
 * Runs redis-server and kills it as soon as the pipe from the parent closes, which a crash of the parent does too. The
 * folder is kept only when the parent says so.
 */
const WATCHDOG = `folder=$1; shift; "$@" & child=$!; echo "child $child"; read -r answer
kill -9 $child 2>/dev/null; wait $child 2>/dev/null; [ "$answer" = keep ] || rm -rf "$folder"`;

const READY = /Ready to accept connections|Sentinel ID is/;

/** A running redis-server; get one from `startRedisServer`. */
export class RedisServer implements AsyncDisposable {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly url: string;
  readonly #binary: string;
  readonly #options: RedisServerOptions;
  readonly #folder: string;
  #watchdog: ChildProcess | undefined;
  #pid: number | undefined;

  /** Starts nothing: use `startRedisServer`. */
  constructor(binary: string, port: number, options: RedisServerOptions) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#binary = binary;
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), 'describe-it-redis-'));
  }

  /** Folder of the server's files, removed by `stop()`. */
  get folder(): string {
    return this.#folder;
  }

  /** Process id of redis-server, `undefined` while it is down. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Stops the process with SIGSTOP: connections stay open and nothing answers. */
  pause(): void {
    this.#signal('SIGSTOP');
  }

  /** Lets a paused server go on. */
  resume(): void {
    this.#signal('SIGCONT');
  }

  /** Ends the server with SIGKILL; `restart()` brings it back. */
  async kill(): Promise<void> {
    await this.#end('keep');
  }

  /** Starts the server again on the same port, empty; kills it first when it runs. */
  async restart(): Promise<void> {
    await this.kill();
    const config = join(this.#folder, 'redis.conf');
    writeFileSync(config, (this.#options.config ?? []).map((line) => `${line}\n`).join(''));
    const args = [
      config,
      ...['--port', String(this.port), '--bind', this.host, '--dir', this.#folder],
      ...['--save', '', '--appendonly', 'no', '--protected-mode', 'no'],
      ...(this.#options.args ?? []),
    ];
    const command = ['-c', WATCHDOG, 'sh', this.#folder, this.#binary, ...args];
    const watchdog = spawn('sh', command, { detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#watchdog = watchdog;
    await this.#untilReady(watchdog);
    // A forgotten server must not keep a test process alive; the closing pipe ends it.
    watchdog.unref();
    for (const stream of watchdog.stdio) (stream as { unref?: () => void } | null)?.unref?.();
  }

  /** Ends the server and removes its folder. Idempotent. */
  async stop(): Promise<void> {
    await this.#end('remove');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #untilReady(watchdog: ChildProcess): Promise<void> {
    const { startTimeoutMs = 10_000 } = this.#options;
    const ready = new Deferred<void>();
    const lastLines: string[] = [];
    const lines = createInterface({ input: watchdog.stdout ?? process.stdin });
    lines.on('line', (line) => {
      const child = /^child (\d+)$/.exec(line)?.[1];
      if (child !== undefined) this.#pid = Number(child);
      if (READY.test(line)) ready.resolve();
      if (/# (Failed|Fatal|Warning: Could not)|FATAL/.test(line)) ready.reject(new Error(line));
      if (lastLines.push(line) > 10) lastLines.shift();
    });
    const failed = () => new Error(`redis-server did not start:\n${lastLines.join('\n')}`);
    watchdog.once('exit', () => ready.reject(failed()));
    watchdog.once('error', (error) => ready.reject(error));
    await withTimeout(ready.promise, startTimeoutMs, failed);
  }

  async #end(answer: 'keep' | 'remove'): Promise<void> {
    const watchdog = this.#watchdog;
    if (watchdog === undefined) return;
    this.#watchdog = undefined;
    this.#pid = undefined;
    if (watchdog.exitCode !== null || watchdog.signalCode !== null) return;
    const exited = once(watchdog, 'exit');
    watchdog.ref();
    watchdog.stdin?.on('error', () => {});
    watchdog.stdin?.end(`${answer}\n`);
    await exited;
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#pid === undefined) throw new Error('redis-server is not running');
    process.kill(this.#pid, signal);
  }
}
