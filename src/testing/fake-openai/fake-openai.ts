import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ClosedError } from '../../errors/closed-error.ts';
import { bindMethods } from '../../internal/bind-methods.ts';
import { type Clock, setBackgroundTimeout } from '../../internal/clock.ts';
import { Exchange } from './exchange.ts';
import { checkFaults } from './fault-checks.ts';
import { FaultPicker } from './fault-picker.ts';
import type { FaultPlan, FaultRule } from './fault-plan.ts';
import { listen } from './listen.ts';
import { checkedGroups, type FakeOpenAIOptions, type ResolvedOptions, resolveOptions, toPlan } from './options.ts';
import type { FakeLimits } from './quota-group.ts';
import { type FakeQuotaGroup, QuotaGroups } from './quota-groups.ts';
import { nextTurn, realPause } from './real-timers.ts';
import { readKey } from './request-key.ts';
import { findRoute, type Route } from './route.ts';
import { type OpenRequest, SeenLog, type SeenRequest } from './seen-log.ts';
import { type FakeOpenAIStats, SeenStats } from './seen-stats.ts';
import { type FakeModel, MODEL_TABLE } from './token-table.ts';
import type { Endpoint } from './vision-request.ts';

/** The state of a connection. */
interface ConnectionState {
  readonly id: number;
  requests: number;
  /** Whether its next request finds it closed. */
  doomed: boolean;
}

/** How many times `start()` tries to get its old port back, and how long it waits in between. */
const START_ATTEMPTS = 20;
const START_RETRY_MS = 25;

/**
 * A running fake of the OpenAI API. Made by {@link startFakeOpenAI}.
 */
export class FakeOpenAI implements AsyncDisposable {
  readonly #options: ResolvedOptions;
  readonly #models: Readonly<Record<string, FakeModel>>;
  readonly #apiKeys: ReadonlySet<string>;
  readonly #groups: QuotaGroups;
  readonly #stats: SeenStats;
  readonly #log: SeenLog;
  readonly #server: Server;
  readonly #connections = new Map<Socket, ConnectionState>();
  #picker: FaultPicker;
  #numbers: Record<Endpoint, number> = { chat: 0, responses: 0, models: 0, other: 0 };
  #nextConnection = 1;
  #ongoing = 0;
  #closed = false;
  #stopped: Promise<void> = Promise.resolve();
  #port: number;

  /** @internal */
  constructor(options: FakeOpenAIOptions) {
    this.#options = resolveOptions(options);
    this.#models = { ...MODEL_TABLE, ...this.#options.models };
    this.#apiKeys = new Set(this.#options.apiKeys);
    this.#groups = new QuotaGroups(this.#options.quotaGroups, this.#options.clock);
    this.#stats = new SeenStats(this.#options.countImages);
    this.#log = new SeenLog(this.#options.maxRecordedRequests, this.#options.maxRecordedBytes);
    this.#picker = new FaultPicker(this.#options.faults, this.#options.seed);
    this.#port = this.#options.port;
    this.#server = createServer({ keepAliveTimeout: this.#options.keepAliveTimeoutMs, requestTimeout: 0 });
    this.#server.on('connection', (socket) => this.#opened(socket));
    this.#server.on('request', (incoming, response) => this.#handle(incoming, response));
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
    return this.#options.apiKeys[0] ?? '';
  }

  /** Replaces the fault plan. Counts of rules that end start again; request numbers go on. */
  setFaults(faults: FaultPlan | readonly FaultRule[]): void {
    checkFaults(faults);
    this.#picker = new FaultPicker(toPlan(faults), this.#options.seed);
  }

  /**
   * Sets other limits, for all keys or by groups, with full buckets. Requests in flight no longer count.
   * @throws `DESCRIBE_CONFIG_INVALID` for wrong ones.
   */
  setLimits(limits: FakeLimits | readonly FakeQuotaGroup[]): void {
    this.#groups.replace(checkedGroups(limits));
  }

  /** The recorded requests in the order they arrived, bounded by `maxRecordedRequests` and `maxRecordedBytes`. */
  seen(): readonly SeenRequest[] {
    return this.#log.list();
  }

  getStats(): FakeOpenAIStats {
    return this.#stats.snapshot();
  }

  /** Forgets what it saw, counts requests from 1 again and fills every limit. Faults and connections stay. */
  reset(): void {
    this.#stats.reset();
    this.#log.clear();
    this.#groups.reset();
    this.#numbers = { chat: 0, responses: 0, models: 0, other: 0 };
  }

  /** Closes the connections that carry no request now, as a server does after its keep-alive timeout. */
  closeIdleConnections(): void {
    this.#server.closeIdleConnections();
  }

  /** An outage: stops listening and breaks every connection. Clients get ECONNREFUSED until `start()`. */
  stop(): Promise<void> {
    if (this.#server.listening) this.#stopped = this.#breakOff();
    return this.#stopped;
  }

  /**
   * Listens again on the same port.
   * @throws ClosedError `DESCRIBE_CLOSED` after `close()`
   */
  async start(): Promise<void> {
    await this.#stopped;
    for (let attempt = 1; !this.#server.listening; attempt += 1) {
      if (this.#closed) throw new ClosedError('the fake server');
      try {
        await listen(this.#server, this.#port);
      } catch (error) {
        if (attempt >= START_ATTEMPTS) throw error;
        await realPause(START_RETRY_MS);
      }
    }
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** `stop()` and `start()`: every connection is lost, the port stays. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Stops for good and breaks every connection. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #breakOff(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#connections.keys()) socket.resetAndDestroy();
    await closed;
    // The exchanges notice the reset some turns later.
    while (this.#ongoing > 0 || this.#connections.size > 0) await nextTurn();
  }

  #opened(socket: Socket): void {
    this.#connections.set(socket, { id: this.#nextConnection, requests: 0, doomed: false });
    this.#nextConnection += 1;
    this.#stats.connectionOpened();
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#stats.connectionClosed();
    });
  }

  #handle(incoming: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(incoming.socket);
    if (connection === undefined || connection.doomed) {
      incoming.socket.resetAndDestroy();
      return;
    }
    connection.requests += 1;
    const path = (incoming.url ?? '/').replace(/\?.*$/s, '');
    const route = findRoute(path);
    const seen = this.#arrive(incoming, path, route, connection);
    const { clock, record } = this.#options;
    if (record) this.#log.add(seen);
    this.#stats.requestArrived(route.endpoint, connection.requests > 1);
    this.#ongoing += 1;
    response.once('close', () => {
      this.#ongoing -= 1;
      if (seen.outcome === 'pending') {
        seen.outcome = response.writableFinished ? 'answered' : this.#server.listening ? 'aborted' : 'broken';
      }
      seen.durationMs = clock.now() - seen.receivedAtMs;
      this.#stats.requestEnded(route.endpoint, seen.outcome === 'aborted');
    });
    const exchange = new Exchange(this.#context(), incoming, response, route, seen);
    void exchange.run();
  }

  #arrive(incoming: IncomingMessage, path: string, route: Route, connection: ConnectionState): OpenRequest {
    const key = readKey(incoming.headers);
    const { authorization: _bearer, 'api-key': _azure, ...headers } = incoming.headers;
    return {
      number: this.#nextNumber(route.endpoint),
      endpoint: route.endpoint,
      method: incoming.method ?? 'GET',
      path,
      apiKey: key !== undefined && this.#apiKeys.has(key) ? key : undefined,
      headers: headers as Record<string, string>,
      body: undefined,
      bodyBytes: 0,
      model: undefined,
      stream: false,
      images: [],
      connection: connection.id,
      connectionRequest: connection.requests,
      receivedAtMs: this.#options.clock.now(),
      durationMs: undefined,
      outcome: 'pending',
      status: undefined,
      code: undefined,
      fault: undefined,
      billedTokens: 0,
    };
  }

  #nextNumber(endpoint: Endpoint): number {
    const counter = endpoint === 'responses' ? 'chat' : endpoint;
    this.#numbers[counter] += 1;
    return this.#numbers[counter];
  }

  #context() {
    return {
      options: this.#options,
      models: this.#models,
      apiKeys: this.#apiKeys,
      groups: this.#groups,
      stats: this.#stats,
      log: this.#log,
      picker: this.#picker,
      closeIdle: (response: ServerResponse, afterMs: number | undefined) => {
        this.#closeIdle(response, afterMs, this.#options.clock);
      },
    };
  }

  #closeIdle(response: ServerResponse, afterMs: number | undefined, clock: Clock): void {
    const { socket } = response;
    const connection = socket === null ? undefined : this.#connections.get(socket);
    if (socket === null || connection === undefined) return;
    if (afterMs === undefined) connection.doomed = true;
    else response.once('close', () => setBackgroundTimeout(clock, () => socket.destroy(), afterMs));
  }
}

/**
 * Starts a real HTTP server on 127.0.0.1 that speaks the OpenAI API. It reads the images, and describes facts of their
 * bytes (see `describeImageFacts`).
 *
 * @throws ConfigError `DESCRIBE_CONFIG_INVALID` for wrong options
 * @throws the system's error when the port cannot be used
 *
 * @example
 * ```ts
 * import OpenAI from 'openai';
 * import { createTestImage, startFakeOpenAI } from '@describe-it/sdk/testing';
 *
 * const server = await startFakeOpenAI({ faults: [{ when: { requests: 1 }, fault: { kind: 'error', status: 500 } }] });
 * const client = new OpenAI({ apiKey: server.apiKey, baseURL: server.baseURL });
 * const url = `data:image/png;base64,${createTestImage().toString('base64')}`;
 * const { choices } = await client.chat.completions.create({
 *   model: 'gpt-4.1-mini',
 *   messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url, detail: 'low' } }] }],
 * });
 * console.log(choices[0]?.message.content, server.getStats().requests); // PNG 8×8 sha256:… 2
 * await server.close();
 * ```
 */
export async function startFakeOpenAI(options: FakeOpenAIOptions = {}): Promise<FakeOpenAI> {
  const server = bindMethods(new FakeOpenAI(options));
  await server.start();
  return server;
}
