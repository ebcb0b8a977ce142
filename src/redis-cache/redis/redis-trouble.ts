import type { Clock } from '../../internal/clock.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisLink } from './redis-link.ts';

/** What keeps a cache from its Redis. */
export interface RedisTrouble {
  readonly kind: 'driver' | 'connection' | 'refusal' | 'failure';
  /** In a few words, without a secret. */
  readonly reason: string;
}

/** What keeps a cache from its Redis at the moment; undefined where nothing is known to. */
export function troubleOf({ connection, gateway }: RedisLink): RedisTrouble | undefined {
  if (connection.state === 'driver-missing') {
    return { kind: 'driver', reason: 'ioredis is not installed (npm install ioredis)' };
  }
  if (connection.state === 'reconnecting') return { kind: 'connection', reason: connectionReason(connection) };
  if (connection.state !== 'ready') return undefined;
  if (gateway.refusals.size > 0) {
    const refused = [...gateway.refusals.kinds].map(([command, kind]) => `${command} (${kind})`);
    return { kind: 'refusal', reason: `Redis refuses ${refused.join(', ')}` };
  }
  if (gateway.circuit === 'closed') return undefined;
  return { kind: 'failure', reason: `Redis fails: ${gateway.lastFailure ?? 'no answer'}` };
}

function connectionReason({ lastError, loadError, wasReady }: RedisConnection): string {
  if (loadError !== undefined) return `ioredis could not be loaded: ${loadError}`;
  if (lastError === 'NO_DATABASE') return 'Redis has no database of the number `db`, or refuses to select it';
  return `Redis ${wasReady ? 'is away' : 'was never reached'} (${lastError ?? 'the connection was closed'})`;
}

/** A trouble that comes and goes is told at most this often. */
const TELL_AGAIN_MS = 60_000;

/** Tells of each trouble with Redis once, when it begins, and when Redis can be used again. */
export class TroubleWatch {
  readonly #link: RedisLink;
  readonly #clock: Clock;
  readonly #tell: (trouble: RedisTrouble | undefined) => void;
  readonly #toldAtMs = new Map<RedisTrouble['kind'], number>();
  #current: RedisTrouble['kind'] | undefined;
  #isTold = false;

  /** `tell` is called with a trouble that begins, and with undefined when what it was told of is over. */
  constructor(link: RedisLink, clock: Clock, tell: (trouble: RedisTrouble | undefined) => void) {
    this.#link = link;
    this.#clock = clock;
    this.#tell = tell;
    link.connection.events.on('changed', this.#look);
    link.gateway.events.on('changed', this.#look);
  }

  readonly #look = () => {
    const trouble = troubleOf(this.#link);
    if (trouble?.kind === this.#current) return;
    this.#current = trouble?.kind;
    if (trouble === undefined) {
      if (this.#isTold) this.#tell(undefined);
      this.#isTold = false;
      return;
    }
    const nowMs = this.#clock.now();
    if (nowMs - (this.#toldAtMs.get(trouble.kind) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS) return;
    this.#toldAtMs.set(trouble.kind, nowMs);
    this.#isTold = true;
    this.#tell(trouble);
  };
}
