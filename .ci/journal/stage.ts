import type { DescribeClient, DescribeClientOptions, DescribeInput, DescribeOptions } from '@describe-it/sdk';
import type { FakeOpenAI, FakeOpenAIOptions } from '@describe-it/sdk/testing';
import type { Draw } from './draw.ts';
import { type Json, plain, plainError, plainMetrics, type RecordOptions, wireJournal } from './normalise.ts';
import type { QuietWatch } from './quiet.ts';
import type { VirtualClock } from './virtual-time.ts';
import { realPause } from './virtual-time.ts';

export type Sdk = typeof import('@describe-it/sdk');
export type Testing = typeof import('@describe-it/sdk/testing');

/** What a recording has once for all its scenarios. */
export interface Recording {
  readonly sdk: Sdk;
  readonly testing: Testing;
  readonly watch: QuietWatch;
  /** URL of a running Redis, started at the first call. */
  readonly redisUrl: () => Promise<string>;
}

/** Longest virtual time that a scenario waits for a promise, longest real one, and real time for messages of Redis. */
const LIMITS = { virtualMs: 900_000, realMs: 60_000, messageMs: 50 } as const;

/** Where a scenario plays: its servers, its client, its clock, and the record of what happens. */
export class Stage {
  readonly draw: Draw;
  /** Undefined where the scenario runs by the system's clock. */
  readonly clock: VirtualClock | undefined;
  readonly sdk: Sdk;
  readonly testing: Testing;
  readonly #recording: Recording;
  readonly #options: RecordOptions;
  readonly #servers: Record<string, FakeOpenAI> = {};
  readonly #clients: Record<string, DescribeClient> = {};
  readonly #calls: Record<string, unknown>[] = [];
  readonly #logs: Json[] = [];
  readonly #notes: Record<string, Json> = {};

  constructor(recording: Recording, draw: Draw, clock: VirtualClock | undefined, options: RecordOptions) {
    this.#recording = recording;
    this.#options = options;
    this.sdk = recording.sdk;
    this.testing = recording.testing;
    this.draw = draw;
    this.clock = clock;
  }

  /** The same bytes for the same number; `side` makes them larger in pixels. */
  image(seed: number, side = 8): Buffer {
    return this.testing.createTestImage({ seed, width: side, height: side });
  }

  imageHash(seed: number): string {
    return this.testing.readImageFacts(this.image(seed)).hash;
  }

  redisUrl(): Promise<string> {
    return this.#recording.redisUrl();
  }

  async server(options: FakeOpenAIOptions = {}, name = 'a'): Promise<FakeOpenAI> {
    const clock = this.clock === undefined ? {} : { clock: this.clock };
    const server = await this.testing.startFakeOpenAI({ keepAliveTimeoutMs: 600_000, ...clock, ...options });
    this.#recording.watch.ports.add(server.port);
    this.#servers[name] = server;
    return server;
  }

  /** A client of the one server, or of the endpoints in the options. */
  client(options: DescribeClientOptions = {}, name = 'client'): DescribeClient {
    const [server] = Object.values(this.#servers);
    const alone = options.endpoints === undefined && server !== undefined;
    const log = (level: string) => (fields: unknown) => {
      this.#logs.push({ level, fields: plain(fields, this.#options) });
    };
    const client = this.sdk.createDescribeClient({
      ...(alone ? { apiKey: server.apiKey, baseURL: server.baseURL } : {}),
      ...(this.clock === undefined ? {} : { clock: this.clock }),
      proxy: false,
      logger: { debug: () => {}, info: log('info'), warn: log('warn'), error: log('error') },
      ...options,
    });
    this.#clients[name] = client;
    return client;
  }

  /** Starts something and records what becomes of it; settles when it has. */
  async start(call: string, work: () => Promise<unknown>): Promise<void> {
    const record: Record<string, unknown> = { call };
    this.#calls.push(record);
    if (this.clock !== undefined) record['startMs'] = plain(this.clock.now(), this.#options);
    try {
      const value = await work();
      record['result'] = plain(value, this.#options);
    } catch (error) {
      record['error'] = plainError(error, this.#options);
    }
    if (this.clock !== undefined) record['endMs'] = plain(this.clock.now(), this.#options);
  }

  /** One call from its start to its end. */
  async describe(call: string, client: DescribeClient, input: DescribeInput, options?: DescribeOptions): Promise<void> {
    await this.settle(this.start(call, () => client.describe(input, options)));
  }

  /** Calls started in one turn, until all have settled. */
  async together(calls: readonly (readonly [string, () => Promise<unknown>])[]): Promise<void> {
    await this.settle(Promise.all(calls.map(([call, work]) => this.start(call, work))));
  }

  /** Moves time until the promise has settled. */
  async settle(promise: Promise<unknown>): Promise<void> {
    let isSettled = false;
    const mark = () => {
      isSettled = true;
    };
    const settled = promise.then(mark, mark);
    const { clock } = this;
    if (clock === undefined) {
      await Promise.race([settled, realPause(LIMITS.realMs)]);
      if (!isSettled) throw new Error('nothing settled within the real time limit');
      return;
    }
    const limitMs = clock.now() + LIMITS.virtualMs;
    for (;;) {
      await this.#recording.watch.untilQuiet();
      if (isSettled) return;
      const dueAtMs = clock.nextDueAtMs;
      if (dueAtMs === undefined || dueAtMs > limitMs) throw new Error('nothing would ever settle');
      clock.fireNext();
    }
  }

  /** Moves time by so much, and lets happen what falls due. By the system's clock: a pause for messages to arrive. */
  async advance(durationMs: number): Promise<void> {
    const { clock } = this;
    if (clock === undefined) return realPause(LIMITS.messageMs);
    const untilMs = clock.now() + durationMs;
    for (;;) {
      await this.#recording.watch.untilQuiet();
      const dueAtMs = clock.nextDueAtMs;
      if (dueAtMs === undefined || dueAtMs > untilMs) break;
      clock.fireNext();
    }
    clock.moveTo(untilMs);
    await this.#recording.watch.untilQuiet();
  }

  /** Does something at that time from now on, while others wait. */
  after(delayMs: number, action: () => void): void {
    this.clock?.setTimeout(action, delayMs);
  }

  /** Aborts with a reason of that name after so long. */
  abortAfter(delayMs: number, reason: string): AbortSignal {
    const controller = new AbortController();
    this.after(delayMs, () => controller.abort(reason));
    return controller.signal;
  }

  note(name: string, value: unknown): void {
    this.#notes[name] = plain(value, this.#options);
  }

  /** Ends the clients and servers, and gives the record. */
  async finish(failure?: unknown): Promise<Json> {
    const clients: Record<string, Json> = {};
    for (const [name, client] of Object.entries(this.#clients)) {
      await this.#recording.watch.untilQuiet();
      const stats = plain(client.stats(), this.#options);
      const metrics = plainMetrics(await client.metrics(), this.#options);
      clients[name] = { stats, metrics };
    }
    for (const client of Object.values(this.#clients)) {
      await this.settle(client.close()).catch((error: unknown) => this.note('close', String(error)));
      await client.destroy().catch(() => {});
    }
    await this.#recording.watch.untilQuiet();
    const wire = wireJournal(this.#servers, this.#options);
    await Promise.all(Object.values(this.#servers).map((server) => server.close()));
    const logs = this.#options.isConcurrent ? sorted(this.#logs) : this.#logs;
    const record = { wire, calls: this.#calls as Json[], notes: this.#notes, logs, clients };
    return failure === undefined ? record : { ...record, crashed: String(failure) };
  }
}

const sorted = (items: readonly Json[]): Json[] =>
  [...items].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
