import { randomBytes } from 'node:crypto';
import { type Clock, setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import { Emitter } from '../../internal/emitter.ts';
import { type BusMessage, decodeMessage } from './bus-message.ts';
import { OutageLog } from './outage-log.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisGateway } from './redis-gateway.ts';
import { RedisNames } from './redis-names.ts';
import type { RedisTarget } from './redis-target.ts';
import { RedisTier } from './redis-tier.ts';

export interface RedisLinkEvents {
  /** A message of another process, which wrote, removed, invalidated, or gave up. */
  announced: BusMessage;
  /** Messages may have been lost: memory must be verified. */
  deaf: object;
  /** These removals reached Redis late. */
  replayed: { readonly keys: readonly string[]; readonly tags: readonly string[] };
}

export interface RedisLinkOptions {
  readonly keyPrefix: string;
  readonly maxPendingInvalidations: number;
  readonly maxValueBytes: number;
  readonly operationTimeoutMs: number;
  readonly clock: Clock;
}

const REPLAY_INTERVAL_MS = 250;

const links = new WeakMap<object, () => RedisLink | undefined>();

/** Lets other users of a cache's connection find it; undefined where it has none. */
export const shareLink = (cache: object, link: () => RedisLink | undefined): void => void links.set(cache, link);

export const linkOf = (cache: object): RedisLink | undefined => links.get(cache)?.();

/** One Redis of a cache: connection, breaker, commands, messages, and the removals that Redis has not confirmed yet. */
export class RedisLink {
  readonly events = new Emitter<RedisLinkEvents>();
  readonly connection: RedisConnection;
  readonly gateway: RedisGateway;
  readonly tier: RedisTier;
  readonly outage: OutageLog;
  readonly names: RedisNames;
  readonly #clock: Clock;
  #replayTimer: TimerHandle | undefined;
  #replaying = false;
  #closed = false;

  constructor(target: RedisTarget, options: RedisLinkOptions) {
    const { clock, keyPrefix, maxPendingInvalidations, maxValueBytes, operationTimeoutMs } = options;
    const source = randomBytes(9).toString('base64url');
    this.#clock = clock;
    this.outage = new OutageLog(maxPendingInvalidations);
    const clientPrefix = target.kind === 'client' ? target.client.options.keyPrefix : undefined;
    this.names = new RedisNames(keyPrefix, clientPrefix);
    const { channel } = this.names;
    this.connection = new RedisConnection({ target, channel, operationTimeoutMs, clock });
    this.gateway = new RedisGateway({ connection: this.connection, operationTimeoutMs, clock });
    this.tier = new RedisTier(this.gateway, { names: this.names, source, maxValueBytes });
    const { events } = this.connection;
    events.on('message', ({ text }) => {
      const message = decodeMessage(text);
      if (message !== undefined && message.source !== source) this.events.emit('announced', message);
    });
    events.on('subscriberLost', () => this.events.emit('deaf', {}));
    // Messages between the loss and the new subscription were lost, too.
    events.on('subscriberReady', () => this.events.emit('deaf', {}));
    events.on('ready', () => void this.#replay());
  }

  /** Redis holds older entries under these keys than it could take: they are not trusted, and removed. */
  outdate(keys: readonly string[]): void {
    this.outage.addOverwritten(keys);
    this.replayLater();
  }

  /** Starts to replay the removals that Redis missed, until it has them. */
  replayLater(): void {
    if (this.#closed || this.#replayTimer !== undefined || this.outage.size === 0) return;
    this.#replayTimer = setBackgroundTimeout(
      this.#clock,
      () => {
        this.#replayTimer = undefined;
        void this.#replay();
      },
      REPLAY_INTERVAL_MS,
    );
  }

  /** Waits for the operations that run, at the latest until their deadlines, and disconnects. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#replayTimer !== undefined) this.#clock.clearTimeout(this.#replayTimer);
    this.events.clear();
    await this.gateway.settled();
    this.connection.close();
    this.gateway.shutdown();
  }

  async #replay(): Promise<void> {
    if (this.#replaying || this.#closed) return;
    this.#replaying = true;
    while (this.outage.size > 0 && (await this.#replayBatch()));
    this.#replaying = false;
    this.replayLater();
  }

  async #replayBatch(): Promise<boolean> {
    const batch = this.outage.next();
    const keys = [...batch.keys.keys()];
    const tags = [...batch.tags.keys()];
    const deadline = this.gateway.deadline(keys.length + tags.length);
    if (keys.length > 0 && !(await this.tier.remove(keys, deadline)).ok) return false;
    if (tags.length > 0 && !(await this.tier.removeTags(tags, deadline)).ok) return false;
    this.events.emit('replayed', { keys, tags });
    this.outage.settle(batch);
    return true;
  }
}
