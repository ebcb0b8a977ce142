import { ConfigError } from '../errors/config-error.ts';
import { type Clock, setBackgroundTimeout, type TimerHandle } from '../internal/clock.ts';
import { Deferred } from '../internal/deferred.ts';
import { Emitter } from '../internal/emitter.ts';
import { withTimeout } from '../internal/signals.ts';
import type { RedisTarget } from './cache-options.ts';
import { clusterListener, disconnectForGood, dropStream, unref } from './driver-internals.ts';
import { errorKind, isSentinelRound, isWithoutSentinel } from './error-kind.ts';
import type { RedisClientLike } from './redis-client.ts';
import { createRedisClients, type RedisClients, retryStrategy } from './redis-driver.ts';

/** Where the connection to Redis stands. */
export type RedisConnectionState =
  /** Nothing was asked yet, so nothing was opened. */
  | 'idle'
  | 'connecting'
  | 'ready'
  | 'reconnecting'
  /** `ioredis` is not installed. */
  | 'driver-missing'
  | 'closed';

export interface RedisConnectionEvents {
  ready: object;
  lost: object;
  subscriberReady: object;
  subscriberLost: object;
  message: { readonly text: string };
}

export interface RedisConnectionOptions {
  readonly target: RedisTarget;
  readonly channel: string;
  readonly operationTimeoutMs: number;
  readonly clock: Clock;
}

/** How long operations wait for the first connection, so that a start loses nothing: about what TLS over a slow way takes. */
const FIRST_CONNECT_MS = 500;
const PING_INTERVAL_MS = 15_000;
const PING_TIMEOUT_MS = 5_000;

/**
 * Two connections to one Redis, opened at first use and reopened for ever: one for data, one for messages. Never throws
 * and never emits an unheard error; what fails is told by `state` and `lastError`.
 */
export class RedisConnection {
  readonly events = new Emitter<RedisConnectionEvents>();
  readonly #options: RedisConnectionOptions;
  readonly #detachers: (() => void)[] = [];
  #clients: RedisClients | undefined;
  #opening: Promise<void> | undefined;
  #state: RedisConnectionState = 'idle';
  #subscribed = false;
  #failedAttempts = 0;
  #lastError: string | undefined;
  #driverError: ConfigError | undefined;
  #firstOutcome = new Deferred<void>();
  #pingTimer: TimerHandle | undefined;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
  }

  get state(): RedisConnectionState {
    return this.#state;
  }

  get isCluster(): boolean {
    const { target } = this.#options;
    return target.kind === 'cluster' || (target.kind === 'client' && target.client.isCluster);
  }

  /** Whether messages arrive. */
  get subscribed(): boolean {
    return this.#subscribed;
  }

  /** Connections in a row that failed or were lost since the last one that was ready. */
  get failedAttempts(): number {
    return this.#failedAttempts;
  }

  /** Kind of the last failure, such as `ECONNREFUSED` or `WRONGPASS`; never a whole message. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** The error to reject with when the driver is missing. */
  get driverError(): ConfigError | undefined {
    return this.#driverError;
  }

  /** Opens the connection when none was, and waits for the first try, once and at most `FIRST_CONNECT_MS`. */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#firstOutcome.promise;
  }

  /** The client when commands can be sent at this moment. */
  get readyClient(): RedisClientLike | undefined {
    const data = this.#clients?.data;
    return this.#state === 'ready' && data?.status === 'ready' ? data : undefined;
  }

  /** Drops the connection for data and what is arriving on it, and connects anew; not one of the user's, or of a Cluster. */
  drop(): void {
    if (this.#state !== 'ready' || this.isCluster || this.#clients?.ownsData !== true) return;
    // What ioredis calls a disconnect lets a server that does not listen go on sending for seconds.
    dropStream(this.#clients.data);
  }

  /** Ends both connections. Idempotent. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#subscribed = false;
    this.#firstOutcome.resolve();
    if (this.#pingTimer !== undefined) this.#options.clock.clearTimeout(this.#pingTimer);
    for (const detach of this.#detachers.splice(0)) detach();
    if (this.#clients?.ownsData) disconnectForGood(this.#clients.data);
    if (this.#clients !== undefined) disconnectForGood(this.#clients.subscriber);
    this.events.clear();
  }

  async #open(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'connecting';
    try {
      // Loading the driver is not counted: it takes the processor's time and not the network's.
      const clients = await createRedisClients(this.#options.target, this.#options.operationTimeoutMs);
      if ((this.#state as RedisConnectionState) === 'closed') {
        clients.subscriber.disconnect();
        if (clients.ownsData) clients.data.disconnect();
        return;
      }
      this.#clients = clients;
      this.#watchData(clients.data, clients.ownsData);
      this.#watchSubscriber(clients.subscriber);
      const { clock } = this.#options;
      const timer = clock.setTimeout(() => this.#firstOutcome.resolve(), FIRST_CONNECT_MS);
      void this.#firstOutcome.promise.then(() => clock.clearTimeout(timer));
      if (clients.data.status === 'ready') this.#becomeReady();
      else if (clients.data.status === 'wait') clients.data.connect().catch(() => {});
      clients.subscriber.connect().catch(() => {});
    } catch (error) {
      this.#state = 'driver-missing';
      this.#lastError = 'DRIVER_MISSING';
      if (error instanceof ConfigError) this.#driverError = error;
      this.#firstOutcome.resolve();
    }
  }

  #watchData(client: RedisClientLike, owned: boolean): void {
    this.#listen(client, 'error', (error: unknown) => {
      this.#note(error);
      if (!isWithoutSentinel(error)) return;
      // No connection is lost, for there is none.
      this.#failedAttempts += 1;
      this.#state = 'reconnecting';
      this.#firstOutcome.resolve();
    });
    if (owned) this.#connectAgain(client);
    this.#listen(client, 'ready', () => this.#becomeReady());
    this.#listen(client, 'close', () => {
      const wasReady = this.#state === 'ready';
      this.#failedAttempts += 1;
      this.#state = 'reconnecting';
      this.#firstOutcome.resolve();
      if (wasReady) this.events.emit('lost', {});
    });
    if (owned) this.#letProcessEnd(client);
  }

  #watchSubscriber(client: RedisClientLike): void {
    this.#listen(client, 'error', this.#note);
    this.#connectAgain(client);
    this.#listen(client, 'message', (channel: string, text: string) => {
      if (channel === this.#options.channel) this.events.emit('message', { text });
    });
    this.#listen(client, 'close', () => this.#loseSubscription());
    // Again after each reconnect: the answer tells that messages arrive from now on.
    this.#listen(client, 'ready', () => this.#subscribe(client));
    this.#letProcessEnd(client);
    this.#schedulePing(client);
  }

  #subscribe(client: RedisClientLike): void {
    client.subscribe(this.#options.channel).then(
      () => {
        if (this.#state === 'closed') return;
        this.#subscribed = true;
        this.events.emit('subscriberReady', {});
        const listener = clusterListener(client);
        if (listener !== undefined) unref(listener, 'stream');
        listener?.on('end', () => {
          if (this.#state === 'closed') return;
          this.#loseSubscription();
          if (client.status === 'ready') this.#subscribe(client);
        });
      },
      () => {
        if (this.#state !== 'closed') client.disconnect(true);
      },
    );
  }

  #loseSubscription(): void {
    if (!this.#subscribed) return;
    this.#subscribed = false;
    this.events.emit('subscriberLost', {});
  }

  /** Where ioredis gives up, as without a Sentinel that answers. */
  #connectAgain(client: RedisClientLike): void {
    let timer: TimerHandle | undefined;
    let tries = 0;
    const { clock } = this.#options;
    this.#listen(client, 'ready', () => {
      tries = 0;
    });
    this.#listen(client, 'end', () => {
      tries += 1;
      timer = setBackgroundTimeout(clock, () => client.connect().catch(() => {}), retryStrategy(tries));
    });
    this.#detachers.push(() => {
      if (timer !== undefined) clock.clearTimeout(timer);
    });
  }

  /** A connection whose other end vanished says nothing, and neither does a quiet one: only an answer tells them apart. */
  #schedulePing(client: RedisClientLike): void {
    const { clock } = this.#options;
    this.#pingTimer = setBackgroundTimeout(
      clock,
      () => {
        this.#schedulePing(client);
        if (!this.#subscribed) return;
        withTimeout(client.call('PING'), PING_TIMEOUT_MS, () => new Error('no pong'), clock).catch(() => {
          if (this.#state !== 'closed') client.disconnect(true);
        });
      },
      PING_INTERVAL_MS,
    );
  }

  #becomeReady(): void {
    this.#state = 'ready';
    this.#failedAttempts = 0;
    this.#firstOutcome.resolve();
    this.events.emit('ready', {});
  }

  readonly #note = (error: unknown): void => {
    if (!isSentinelRound(error)) this.#lastError = errorKind(error);
  };

  #listen<Args extends unknown[]>(
    client: RedisClientLike,
    event: string,
    listener: (...args: Args) => void,
  ): void {
    const guarded = listener as (...args: unknown[]) => void;
    client.on(event, guarded);
    this.#detachers.push(() => {
      client.off(event, guarded);
      // ioredis reports what comes after a disconnect too, and an unheard error would end the process.
      const isOurs = client !== this.#clients?.data || this.#clients.ownsData;
      if (event === 'error' && isOurs) client.on('error', () => {});
    });
  }

  /**
   * Lets the process end while these connections idle or wait to reconnect: whoever waits for an answer holds it open
   * by the timer of the deadline.
   */
  #letProcessEnd(client: RedisClientLike): void {
    const watch = (instance: RedisClientLike) => {
      this.#listen(instance, 'connect', () => unref(instance, 'stream'));
      this.#listen(instance, 'reconnecting', () => unref(instance, 'reconnectTimeout'));
    };
    watch(client);
    if (!client.isCluster) return;
    this.#listen(client, '+node', (node: RedisClientLike) => watch(node));
    this.#listen(client, 'ready', () => unref(client, 'slotsTimer'));
  }
}
