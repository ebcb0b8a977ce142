import { ConfigError } from '../../errors/config-error.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { type Clock, setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import { Emitter } from '../../internal/emitter.ts';
import { ClientWatch } from './client-watch.ts';
import { disconnectForGood, dropStream, hearDuplicates, selectedDb } from './driver-internals.ts';
import type { RedisClientLike } from './redis-client.ts';
import { createRedisClients, type RedisClients, retryStrategy } from './redis-driver.ts';
import { errorKind, isOfAllNodes, isSentinelRound, isWithoutSentinel, refusalKind } from './redis-error-kind.ts';
import { type RedisConnectionEvents, RedisSubscription } from './redis-subscription.ts';
import type { RedisTarget } from './redis-target.ts';

const isOfSelect = (error: unknown): boolean =>
  (error as { readonly command?: { readonly name?: unknown } } | null)?.command?.name === 'select';

/** The state of the connection to Redis. */
export type RedisConnectionState =
  /** No operation came yet, so no connection was opened. */
  | 'idle'
  | 'connecting'
  | 'ready'
  | 'reconnecting'
  /** `ioredis` is not installed. */
  | 'driver-missing'
  | 'closed';

export interface RedisConnectionOptions {
  readonly target: RedisTarget;
  readonly channel: string;
  readonly operationTimeoutMs: number;
  readonly clock: Clock;
}

/** Longest wait of the first operations for the first connection: about the time of TLS over a slow network. */
const FIRST_CONNECT_MS = 500;

/**
 * Two connections to one Redis, opened at first use and reopened for ever: one for data, one for messages. Never
 * throws, and never emits an error without a listener. `state` and `lastError` show a failure. Others only read the
 * fields.
 */
export class RedisConnection {
  readonly events = new Emitter<RedisConnectionEvents>();
  state: RedisConnectionState = 'idle';
  /** Number of connections in a row that failed or were lost since the last ready one. */
  failedAttempts = 0;
  /** Whether there ever was a connection. */
  wasReady = false;
  /** Whether the first connection takes longer than operations wait for it. */
  isLate = false;
  /** Why the installed ioredis could not be loaded, where that failed last. */
  loadError: string | undefined;
  /** Kind of the last failure, such as `ECONNREFUSED` or `WRONGPASS`; never a whole message. */
  lastError: string | undefined;
  /** The error to reject with when the driver is missing. */
  driverError: ConfigError | undefined;
  readonly #options: RedisConnectionOptions;
  #clients: RedisClients | undefined;
  #opening: Promise<void> | undefined;
  #watch: ClientWatch | undefined;
  #subscription: RedisSubscription | undefined;
  #refusedDb = false;
  /** Kind of the last error of one server of a Cluster. */
  #nodeError: string | undefined;
  #firstOutcome = new Deferred<void>();
  #openTimer: TimerHandle | undefined;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
  }

  get isCluster(): boolean {
    const { target } = this.#options;
    return target.kind === 'cluster' || (target.kind === 'client' && target.client.isCluster);
  }

  /** Whether messages arrive. */
  get subscribed(): boolean {
    return this.#subscription?.isActive === true;
  }

  /** Opens the connection once, and waits for the first try, at most `FIRST_CONNECT_MS`. */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#firstOutcome.promise;
  }

  /** The client when commands can be sent at this moment. */
  get readyClient(): RedisClientLike | undefined {
    const data = this.#clients?.data;
    return this.state === 'ready' && data?.status === 'ready' ? data : undefined;
  }

  /** Drops the connection for data with all that arrives on it, and reconnects; not a user's client or a Cluster. */
  drop(): void {
    if (this.state !== 'ready' || this.isCluster || this.#clients?.ownsData !== true) return;
    // After a disconnect by ioredis, a server that does not listen may send on for seconds.
    dropStream(this.#clients.data);
  }

  /** Ends both connections. Idempotent. */
  close(): void {
    if (this.state === 'closed') return;
    this.#setState('closed');
    this.#firstOutcome.resolve();
    if (this.#openTimer !== undefined) this.#options.clock.clearTimeout(this.#openTimer);
    this.#watch?.end();
    if (this.#clients?.ownsData) disconnectForGood(this.#clients.data);
    this.#subscription?.close();
    this.events.clear();
  }

  async #open(): Promise<void> {
    if (this.state === 'closed') return;
    if (this.state === 'idle') this.#setState('connecting');
    try {
      // Outside of the wait: loading the driver takes time of the processor, not of the network.
      const clients = await createRedisClients(this.#options.target, this.#options.operationTimeoutMs);
      if ((this.state as RedisConnectionState) === 'closed') {
        clients.subscriber.disconnect();
        if (clients.ownsData) clients.data.disconnect();
        return;
      }
      this.#clients = clients;
      this.loadError = undefined;
      this.#watchData(clients);
      const { clock, channel } = this.#options;
      const { events } = this;
      const subscription = { channel, clock, events, onError: this.#note };
      this.#subscription = new RedisSubscription(clients.subscriber, subscription);
      const timer = clock.setTimeout(() => {
        this.isLate = true;
        this.#firstOutcome.resolve();
      }, FIRST_CONNECT_MS);
      void this.#firstOutcome.promise.then(() => clock.clearTimeout(timer));
      if (clients.data.status === 'ready') this.#useReady(clients);
      else if (clients.data.status === 'wait') clients.data.connect().catch(() => {});
      else if (clients.data.status === 'end') this.#fail('CLIENT_ENDED');
      this.#subscription.open();
    } catch (error) {
      this.#failToOpen(error);
    }
  }

  /** Only a missing driver is final. Another failure, such as a lack of file descriptors, may pass. */
  #failToOpen(error: unknown): void {
    if (error instanceof ConfigError) {
      this.driverError = error;
      this.lastError = 'DRIVER_MISSING';
      this.#setState('driver-missing');
      this.#firstOutcome.resolve();
      return;
    }
    this.loadError = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
    this.#fail(errorKind(error));
    const { clock } = this.#options;
    const again = () => void this.#open();
    this.#openTimer = setBackgroundTimeout(clock, again, retryStrategy(this.failedAttempts));
  }

  #fail(kind: string | undefined): void {
    this.failedAttempts += 1;
    if (kind !== undefined) this.lastError = kind;
    this.#setState('reconnecting');
    this.#firstOutcome.resolve();
  }

  #setState(state: RedisConnectionState): void {
    this.state = state;
    this.events.emit('changed', {});
  }

  #watchData({ data: client, ownsData: owned }: RedisClients): void {
    const watch = new ClientWatch(client, { clock: this.#options.clock, isOurs: owned });
    this.#watch = watch;
    watch.on('error', (error: unknown) => {
      this.#note(error);
      if (owned && isOfSelect(error)) this.#refusedDb = true;
      // There is no connection whose loss would be reported.
      if (isWithoutSentinel(error)) this.#fail(undefined);
    });
    if (owned && client.isCluster) {
      const noteNode = (error: unknown) => {
        this.#nodeError = errorKind(error);
      };
      watch.on('+node', (node: RedisClientLike) => hearDuplicates(node, noteNode));
    }
    if (owned) watch.connectAgain(() => this.failedAttempts);
    watch.on('ready', () => this.#useReady({ data: client, ownsData: owned }));
    watch.on('close', () => {
      const wasReady = this.state === 'ready';
      this.#fail(undefined);
      if (wasReady) this.events.emit('lost', {});
    });
    if (owned) watch.letProcessEnd();
  }

  /** ioredis reports a database that it may not select, and goes on with another one. Such a client is not used. */
  #useReady({ data: client, ownsData }: Pick<RedisClients, 'data' | 'ownsData'>): void {
    const db = selectedDb(client);
    if (!ownsData && db > 0) {
      // The user's client may have been refused before this cache listened.
      client.call('SELECT', db).then(
        () => this.#becomeReady(),
        () => this.#fail('NO_DATABASE'),
      );
      return;
    }
    if (!this.#refusedDb) {
      if (ownsData && !client.isCluster) this.#awaitAnswer(client);
      else this.#becomeReady();
      return;
    }
    this.#refusedDb = false;
    this.lastError = 'NO_DATABASE';
    client.disconnect();
  }

  /** ioredis takes a connected client for ready. But the server may be no Redis, or refuse the password. */
  #awaitAnswer(client: RedisClientLike): void {
    client.call('PING').then(
      () => this.#becomeReady(),
      (error: unknown) => {
        if (refusalKind(error) !== undefined) this.#becomeReady();
        // A lost connection has given its reason already.
        else if (errorKind(error) !== 'CONNECTION_CLOSED') {
          this.#note(error);
          client.disconnect(true);
        }
      },
    );
  }

  #becomeReady(): void {
    if (this.state === 'closed') return;
    this.failedAttempts = 0;
    this.wasReady = true;
    this.#setState('ready');
    this.#firstOutcome.resolve();
    this.events.emit('ready', {});
  }

  readonly #note = (error: unknown): void => {
    if (isSentinelRound(error)) return;
    this.lastError = (isOfAllNodes(error) ? this.#nodeError : undefined) ?? errorKind(error);
  };
}
