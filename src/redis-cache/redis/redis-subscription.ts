import { withTimeout } from '../../internal/async/signals.ts';
import { type Clock, setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import type { Emitter } from '../../internal/emitter.ts';
import { ClientWatch } from './client-watch.ts';
import { clusterListener, disconnectForGood, unref } from './driver-internals.ts';
import type { RedisClientLike } from './redis-client.ts';
import { refusalKind } from './redis-error-kind.ts';

export interface RedisConnectionEvents {
  /** `state` or `lastError` has changed. */
  changed: object;
  /** The server does not let this user subscribe to the channel. */
  subscribeRefused: { readonly kind: string };
  ready: object;
  lost: object;
  subscriberReady: object;
  subscriberLost: object;
  message: { readonly text: string };
}

export interface RedisSubscriptionOptions {
  readonly channel: string;
  readonly clock: Clock;
  readonly events: Emitter<RedisConnectionEvents>;
  readonly onError: (error: unknown) => void;
}

const PING_INTERVAL_MS = 15_000;
const PING_TIMEOUT_MS = 5_000;
/** Milliseconds until a refused subscription is tried again. Only an operator can change the refusal. */
const SUBSCRIBE_AGAIN_MS = 30_000;

/** The connection for messages: subscribed to one channel, and again after each loss. */
export class RedisSubscription {
  /** Whether messages arrive. */
  isActive = false;
  readonly #options: RedisSubscriptionOptions;
  readonly #watch: ClientWatch;
  #isOver = false;
  #pingTimer: TimerHandle | undefined;
  #againTimer: TimerHandle | undefined;

  constructor(client: RedisClientLike, options: RedisSubscriptionOptions) {
    const { channel, clock, events, onError } = options;
    this.#options = options;
    this.#watch = new ClientWatch(client, { clock, isOurs: true });
    this.#watch.on('error', onError);
    this.#watch.connectAgain();
    this.#watch.on('message', (from: string, text: string) => {
      if (from === channel) events.emit('message', { text });
    });
    this.#watch.on('close', () => this.#lose());
    // Again after each reconnect: messages arrive from the answer on.
    this.#watch.on('ready', () => this.#subscribe());
    this.#watch.letProcessEnd();
    this.#schedulePing();
  }

  /** Connects; call it once the other connection is being opened. */
  open(): void {
    this.#watch.client.connect().catch(() => {});
  }

  close(): void {
    this.#isOver = true;
    this.isActive = false;
    for (const timer of [this.#pingTimer, this.#againTimer])
      if (timer !== undefined) this.#options.clock.clearTimeout(timer);
    this.#watch.end();
    disconnectForGood(this.#watch.client);
  }

  #subscribe(): void {
    const { client } = this.#watch;
    client.subscribe(this.#options.channel).then(
      () => {
        if (this.#isOver) return;
        this.isActive = true;
        this.#options.events.emit('subscriberReady', {});
        const listener = clusterListener(client);
        if (listener !== undefined) unref(listener, 'stream');
        listener?.on('end', () => {
          if (this.#isOver) return;
          this.#lose();
          if (client.status === 'ready') this.#subscribe();
        });
      },
      (error: unknown) => {
        if (this.#isOver) return;
        const kind = refusalKind(error);
        if (kind === undefined) client.disconnect(true);
        else this.#subscribeLater(kind);
      },
    );
  }

  #subscribeLater(kind: string): void {
    const { clock, events } = this.#options;
    events.emit('subscribeRefused', { kind });
    if (this.#againTimer !== undefined) return;
    const again = () => {
      this.#againTimer = undefined;
      if (this.#watch.client.status === 'ready') this.#subscribe();
    };
    this.#againTimer = setBackgroundTimeout(clock, again, SUBSCRIBE_AGAIN_MS);
  }

  #lose(): void {
    if (!this.isActive) return;
    this.isActive = false;
    this.#options.events.emit('subscriberLost', {});
  }

  /** A quiet connection may have lost its other end. Only an answer proves that it has not. */
  #schedulePing(): void {
    const { clock } = this.#options;
    const { client } = this.#watch;
    const ping = () => {
      this.#schedulePing();
      if (!this.isActive) return;
      const noPong = () => new Error('no pong');
      withTimeout(client.call('PING'), PING_TIMEOUT_MS, noPong, clock).catch((error: unknown) => {
        // A refusal counts as an answer.
        if (!this.#isOver && refusalKind(error) === undefined) client.disconnect(true);
      });
    };
    this.#pingTimer = setBackgroundTimeout(clock, ping, PING_INTERVAL_MS);
  }
}
