import { type Clock, setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import { unref } from './driver-internals.ts';
import type { RedisClientLike } from './redis-client.ts';
import { retryStrategy } from './redis-driver.ts';

/** The listeners on one client of ioredis, until `end`. */
export class ClientWatch {
  readonly client: RedisClientLike;
  readonly #clock: Clock;
  readonly #isOurs: boolean;
  readonly #detachers: (() => void)[] = [];

  constructor(client: RedisClientLike, { clock, isOurs }: { readonly clock: Clock; readonly isOurs: boolean }) {
    this.client = client;
    this.#clock = clock;
    this.#isOurs = isOurs;
  }

  on<Args extends unknown[]>(event: string, listener: (...args: Args) => void, client = this.client): void {
    const guarded = listener as (...args: unknown[]) => void;
    client.on(event, guarded);
    this.#detachers.push(() => {
      client.off(event, guarded);
      // ioredis also reports errors after a disconnect. One without a listener would end the process.
      if (event === 'error' && this.#isOurs) client.on('error', () => {});
    });
  }

  /** Reconnects where ioredis gives up, as when no Sentinel answers. `attempts` gives the number of failures. */
  connectAgain(attempts?: () => number): void {
    let timer: TimerHandle | undefined;
    let tries = 0;
    this.on('ready', () => {
      tries = 0;
    });
    this.on('end', () => {
      tries += 1;
      const again = () => this.client.connect().catch(() => {});
      timer = setBackgroundTimeout(this.#clock, again, retryStrategy(attempts?.() ?? tries));
    });
    this.#detachers.push(() => {
      if (timer !== undefined) this.#clock.clearTimeout(timer);
    });
  }

  /**
   * Lets the process end while the client is idle or waits to reconnect. The timer of a deadline keeps it alive for a
   * caller that waits for an answer.
   */
  letProcessEnd(): void {
    const watch = (instance: RedisClientLike) => {
      this.on('connect', () => unref(instance, 'stream'), instance);
      this.on('reconnecting', () => unref(instance, 'reconnectTimeout'), instance);
    };
    watch(this.client);
    if (!this.client.isCluster) return;
    this.on('+node', (node: RedisClientLike) => watch(node));
    this.on('ready', () => unref(this.client, 'slotsTimer'));
  }

  end(): void {
    for (const detach of this.#detachers.splice(0)) detach();
  }
}
