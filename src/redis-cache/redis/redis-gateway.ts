import { CircuitBreaker } from '../../circuit-breaker/circuit-breaker.ts';
import { CacheError } from '../../errors/cache-error.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { TimeoutError } from '../../errors/timeout-error.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import type { Clock } from '../../internal/clock.ts';
import { Emitter } from '../../internal/emitter.ts';
import { CommandRefusals } from './command-refusals.ts';
import {
  mastersOf,
  type RedisClientLike,
  type RedisCommand,
  RedisRefusal,
  type ReplyListener,
  sendCommands,
  sendEach,
} from './redis-client.ts';
import type { RedisConnection } from './redis-connection.ts';
import { errorKind } from './redis-error-kind.ts';

/** Why Redis gave no answer. */
export type RedisFailureReason =
  /** Not connected: nothing was sent. */
  | 'unavailable'
  /** The breaker around Redis is open: nothing was sent. */
  | 'circuit-open'
  /** Sent, but not answered in time: it may have been done. */
  | 'timeout'
  /** Sent, and refused or lost. */
  | 'failed'
  /** The cache is closed, or its driver is missing. */
  | 'closed';

/** The outcome of an operation: its replies in order, or why there are none. */
export type RedisReply<Value = readonly unknown[]> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: RedisFailureReason; readonly error: CacheError };

/** The deadline of an operation of one or more round trips. The wait for the first connection postpones it. */
export interface OperationDeadline {
  untilMs: number;
}

export interface RedisGatewayEvents {
  /** The state of the breaker, or the refused commands, have changed. */
  changed: object;
  failed: { readonly operation: string; readonly reason: RedisFailureReason; readonly kind: string };
}

export interface RedisGatewayOptions {
  readonly connection: RedisConnection;
  readonly operationTimeoutMs: number;
  readonly clock: Clock;
}

/** Counts of operations by outcome. */
export interface RedisGatewayStats {
  readonly operations: number;
  readonly failures: number;
  readonly timeouts: number;
  /** Operations that were not sent: no connection, or an open breaker. */
  readonly rejections: number;
}

/** Failed operations in a row that open the breaker. */
const FAILURE_THRESHOLD = 3;
const RESET_TIMEOUT_MS = 500;
const MAX_RESET_TIMEOUT_MS = 5_000;
const BULK_MS_PER_COMMAND = 0.1;

/**
 * Sends every command to Redis, under a deadline and a breaker, and returns a failure instead of throwing it. So a
 * Redis that is down, slow or hung delays a caller at most until the deadline.
 */
export class RedisGateway {
  readonly events = new Emitter<RedisGatewayEvents>();
  /** Whether Redis is a Cluster, where a command may touch the keys of one slot only. */
  readonly isCluster: boolean;
  /** Others only read them. */
  readonly counts = { operations: 0, failures: 0, timeouts: 0, rejections: 0 };
  /** Why the last operation failed. */
  lastFailure: string | undefined;
  readonly refusals = new CommandRefusals(() => this.events.emit('changed', {}));
  readonly #connection: RedisConnection;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #breaker: CircuitBreaker<[() => Promise<unknown>], unknown>;
  #inFlight = 0;
  #idle: Deferred<void> | undefined;

  constructor({ connection, operationTimeoutMs, clock }: RedisGatewayOptions) {
    this.#connection = connection;
    this.isCluster = connection.isCluster;
    this.#clock = clock;
    this.#timeoutMs = operationTimeoutMs;
    this.#breaker = new CircuitBreaker('redis-cache', (send: () => Promise<unknown>) => send(), {
      failureThreshold: FAILURE_THRESHOLD,
      resetTimeoutMs: RESET_TIMEOUT_MS,
      maxResetTimeoutMs: MAX_RESET_TIMEOUT_MS,
      halfOpenTimeoutMs: Math.max(1_000, operationTimeoutMs * 2),
      // A refusal is an answer, so other commands may work.
      isFailure: (error) => !(error instanceof RedisRefusal),
      clock,
    });
    // On a new connection, the next operation shows at once whether Redis works again.
    connection.events.on('ready', () => this.#breaker.close());
    this.#breaker.on('stateChanged', () => this.events.emit('changed', {}));
    connection.events.on('subscribeRefused', ({ kind }) => this.refusals.add(['SUBSCRIBE'], kind));
    connection.events.on('subscriberReady', () => this.refusals.remove(['SUBSCRIBE']));
  }

  /** The deadline of an operation with this many commands. */
  deadline(commands = 1): OperationDeadline {
    return { untilMs: this.#clock.now() + this.#timeoutMs + (commands - 1) * BULK_MS_PER_COMMAND };
  }

  get circuit(): 'closed' | 'open' | 'half-open' {
    const { state } = this.#breaker;
    if (state === 'CLOSED') return 'closed';
    return state === 'HALF_OPEN' ? 'half-open' : 'open';
  }

  /** The servers that hold the data; none while Redis is away. */
  get servers(): readonly RedisClientLike[] {
    const client = this.#connection.readyClient;
    return client === undefined ? [] : mastersOf(client);
  }

  /** Whether a command would be sent now. */
  get available(): boolean {
    return this.#connection.readyClient !== undefined && this.circuit !== 'open';
  }

  /** Sends commands in one go; the replies come in their order, those about bad data as `RedisDataError`. */
  send(
    operation: string,
    commands: readonly RedisCommand[],
    deadline: OperationDeadline,
    node?: RedisClientLike,
  ): Promise<RedisReply> {
    const work = (client: RedisClientLike) => sendCommands(client, commands, this.#onRefusal);
    const sent = this.#run(operation, deadline, work, node);
    return this.refusals.size === 0 ? sent : this.#heedGrants(commands, sent);
  }

  /**
   * Sends commands as they are made, and passes on each reply as it arrives. Passes on none after the operation has
   * ended.
   */
  async sendEach(
    operation: string,
    commands: Iterable<RedisCommand>,
    deadline: OperationDeadline,
    onReply: ReplyListener,
  ): Promise<RedisReply<unknown>> {
    let isOver = false;
    const notify: ReplyListener = (index, reply) => {
      if (!isOver) onReply(index, reply);
    };
    const reply = await this.#run(operation, deadline, (client) => sendEach(client, commands, notify, this.#onRefusal));
    isOver = true;
    return reply;
  }

  async #run<Value>(
    operation: string,
    deadline: OperationDeadline,
    work: (client: RedisClientLike) => Promise<Value>,
    node?: RedisClientLike,
  ): Promise<RedisReply<Value>> {
    const client = node ?? this.#connection.readyClient ?? (await this.#firstClient(deadline));
    if (client === undefined) {
      const closed = this.#connection.state === 'closed' || this.#connection.state === 'driver-missing';
      return this.#fail(operation, closed ? 'closed' : 'unavailable', undefined);
    }
    this.counts.operations += 1;
    this.#inFlight += 1;
    try {
      const value = await this.#breaker.fire(() => this.#within(deadline, operation, work(client)));
      return { ok: true, value: value as Value };
    } catch (error) {
      if (DescribeError.is(error, 'DESCRIBE_CIRCUIT_OPEN') || DescribeError.is(error, 'DESCRIBE_CLOSED')) {
        this.counts.operations -= 1;
        return this.#fail(operation, 'circuit-open', error);
      }
      return this.#fail(operation, DescribeError.is(error, 'DESCRIBE_TIMEOUT') ? 'timeout' : 'failed', error);
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#idle?.resolve();
    }
  }

  /** Resolves when no operation runs, at the latest at their deadlines. */
  async settled(): Promise<void> {
    while (this.#inFlight > 0) {
      this.#idle ??= new Deferred();
      await this.#idle.promise;
      this.#idle = undefined;
      // Waits one turn, in which a caller may send its next command, such as the return of a lease.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Opens a new connection, so that data still arriving on the old one is dropped. */
  dropConnection(): void {
    this.#connection.drop();
  }

  shutdown(): void {
    this.#breaker.shutdown();
    this.events.clear();
  }

  async #heedGrants(commands: readonly RedisCommand[], sent: Promise<RedisReply>): Promise<RedisReply> {
    const reply = await sent;
    for (const [index, command] of commands.entries())
      if (reply.ok && !(reply.value[index] instanceof RedisRefusal)) this.refusals.remove(command);
    return reply;
  }

  readonly #onRefusal = ({ command, kind }: RedisRefusal) => this.refusals.add(command, kind);

  async #firstClient(deadline: OperationDeadline) {
    const startedAtMs = this.#clock.now();
    await this.#connection.open();
    deadline.untilMs += this.#clock.now() - startedAtMs;
    return this.#connection.readyClient;
  }

  /**
   * A busy event loop runs a late timer before an answer that has arrived already. So the answer gets one more turn.
   */
  #within<Value>({ untilMs }: OperationDeadline, operation: string, work: Promise<Value>): Promise<Value> {
    const timeoutMs = Math.max(1, untilMs - this.#clock.now());
    return new Promise<Value>((resolve, reject) => {
      const giveUp = () => reject(new TimeoutError(`Redis ${operation}`, this.#timeoutMs));
      const timer = this.#clock.setTimeout(() => setImmediate(giveUp), timeoutMs);
      work.then(resolve, reject).finally(() => this.#clock.clearTimeout(timer));
    });
  }

  #fail(operation: string, reason: RedisFailureReason, cause: unknown): RedisReply<never> {
    if (reason === 'timeout') this.counts.timeouts += 1;
    else if (reason === 'failed') this.counts.failures += 1;
    else this.counts.rejections += 1;
    // A command that was not sent has no cause of its own, so the connection's reason is used.
    const kind =
      cause instanceof RedisRefusal ? cause.kind : cause === undefined ? this.#connection.lastError : errorKind(cause);
    const why = kind === undefined ? reason : `${reason} (${kind})`;
    if (reason === 'timeout') this.lastFailure = `${operation} had no answer in time`;
    if (reason === 'failed') this.lastFailure = `${operation} ${why}`;
    const error = new CacheError(`Redis ${operation}: ${why}`, { cause, retryable: true });
    this.events.emit('failed', { operation, reason, kind: kind ?? reason });
    return { ok: false, reason, error };
  }
}
