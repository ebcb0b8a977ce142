import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { ClosedError } from '../../errors/closed-error.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { withTimeout } from '../../internal/async/signals.ts';
import { bindMethods } from '../../internal/bind-methods.ts';
import { childModuleUrl } from './fake-openai-child.ts';
import { checkFaults } from './fault-checks.ts';
import type { FaultPlan, FaultRule } from './fault-plan.ts';
import { type FakeOpenAIOptions, resolveOptions } from './options.ts';
import type { ChildMessage, LaunchedServer, Remote, RemoteMethod } from './process-messages.ts';

/** Options of {@link startFakeOpenAIProcess}: those of the server, without its clock, which can't leave its process. */
export type FakeOpenAIProcessOptions = Omit<FakeOpenAIOptions, 'clock'>;

const LAUNCH_TIMEOUT_MS = 15_000;

/**
 * A fake server in a child process of its own, so that it takes no time from what is measured. Made by
 * {@link startFakeOpenAIProcess}. The child ends with this process, however that ends, and does not keep it alive.
 */
export class FakeOpenAIProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Deferred<unknown>>();
  #nextId = 1;
  #port = 0;
  #apiKey = '';

  /** @internal */
  constructor() {
    const boot = `import(${JSON.stringify(childModuleUrl())}).then((module) => (module.runFakeOpenAIChild ?? module.default.runFakeOpenAIChild)());`;
    this.#child = spawn(process.execPath, ['--input-type=module', '--eval', boot], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.on('message', (message: ChildMessage) => this.#settle(message));
    this.#child.once('exit', () => this.#ended(new ClosedError('the fake server process')));
    this.#child.once('error', (error) => this.#ended(error));
    this.#child.unref();
    this.#child.channel?.unref();
  }

  /** `http://127.0.0.1:PORT` */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The URL to give to a client: `http://127.0.0.1:PORT/v1`. */
  get baseURL(): string {
    return `${this.url}/v1`;
  }

  get port(): number {
    return this.#port;
  }

  /** The first of its keys. */
  get apiKey(): string {
    return this.#apiKey;
  }

  /** The child's process id; `undefined` when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** As the server's own, with a promise. */
  readonly seen: Remote<'seen'> = () => this.#call('seen', []);
  readonly getStats: Remote<'getStats'> = () => this.#call('getStats', []);
  readonly setLimits: Remote<'setLimits'> = (limits) => this.#call('setLimits', [limits]);
  readonly reset: Remote<'reset'> = () => this.#call('reset', []);
  readonly closeIdleConnections: Remote<'closeIdleConnections'> = () => this.#call('closeIdleConnections', []);
  readonly stop: Remote<'stop'> = () => this.#call('stop', []);
  readonly start: Remote<'start'> = () => this.#call('start', []);
  readonly restart: Remote<'restart'> = () => this.#call('restart', []);

  /** Replaces the fault plan. @throws ConfigError `DESCRIBE_CONFIG_INVALID` for a wrong one */
  async setFaults(faults: FaultPlan | readonly FaultRule[]): Promise<void> {
    checkFaults(faults);
    await this.#call('setFaults', [faults]);
  }

  /** @internal */
  async launch(options: FakeOpenAIProcessOptions): Promise<void> {
    const launched = withTimeout(
      this.#send<LaunchedServer>('launch', [options]),
      LAUNCH_TIMEOUT_MS,
      () => new TimeoutError('the start of the fake server process', LAUNCH_TIMEOUT_MS),
    );
    try {
      const { port, apiKey } = await launched;
      this.#port = port;
      this.#apiKey = apiKey;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Ends the child and waits for its end. Idempotent. */
  async close(): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.ref();
    this.#child.kill('SIGKILL');
    await exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #call<Method extends RemoteMethod>(method: Method, args: readonly unknown[]): ReturnType<Remote<Method>> {
    return this.#send(method, args) as ReturnType<Remote<Method>>;
  }

  async #send<Value>(method: RemoteMethod | 'launch', args: readonly unknown[]): Promise<Value> {
    const id = this.#nextId;
    this.#nextId += 1;
    const deferred = new Deferred<unknown>();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      throw new ClosedError('the fake server process');
    }
    this.#waiting.set(id, deferred);
    // Only what is awaited keeps this process alive.
    this.#child.channel?.ref();
    this.#child.send({ id, method, args }, (error) => {
      if (error !== null) this.#ended(error);
    });
    return (await deferred.promise) as Value;
  }

  #settle(message: ChildMessage): void {
    const deferred = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#child.channel?.unref();
    if ('error' in message) deferred?.reject(new Error(message.error));
    else deferred?.resolve(message.value);
  }

  #ended(reason: Error): void {
    for (const deferred of this.#waiting.values()) deferred.reject(reason);
    this.#waiting.clear();
  }
}

/**
 * Starts the fake server in a process of its own: for benches, where it must not share the event loop of what is
 * measured. Everything of `startFakeOpenAI` works, each method with a promise.
 *
 * @throws ConfigError `DESCRIBE_CONFIG_INVALID` for wrong options
 * @throws TimeoutError `DESCRIBE_TIMEOUT` when the child isn't ready within 15 s
 *
 * @example
 * ```ts
 * import { startFakeOpenAIProcess } from '@describe-it/sdk/testing';
 *
 * const server = await startFakeOpenAIProcess({ record: false, limits: { requestsPerMinute: 60_000 } });
 * // … run the load against server.baseURL …
 * const { requests, rateLimited } = await server.getStats();
 * console.log(requests, rateLimited);
 * await server.close();
 * ```
 */
export async function startFakeOpenAIProcess(options: FakeOpenAIProcessOptions = {}): Promise<FakeOpenAIProcess> {
  resolveOptions(options);
  const server = bindMethods(new FakeOpenAIProcess());
  await server.launch(options);
  return server;
}
