import type { Clock } from '../../internal/clock.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisLink } from './redis-link.ts';

/** Why a cache can't use its Redis. */
export interface RedisTrouble {
  readonly kind: 'driver' | 'connection' | 'refusal' | 'failure';
  /** A few words without a secret. */
  readonly reason: string;
}

/** Why a cache can't use its Redis now; undefined where no reason is known. */
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

/** A trouble that comes and goes is reported at most this often. */
const REPORT_AGAIN_MS = 60_000;

/** Reports each trouble with Redis once, when it begins, and when Redis can be used again. */
export class TroubleWatch {
  readonly #link: RedisLink;
  readonly #clock: Clock;
  readonly #report: (trouble: RedisTrouble | undefined) => void;
  readonly #reportedAtMs = new Map<RedisTrouble['kind'], number>();
  #current: RedisTrouble['kind'] | undefined;
  #isReported = false;

  /** `report` is called with a trouble that begins, and with undefined when a reported one has ended. */
  constructor(link: RedisLink, clock: Clock, report: (trouble: RedisTrouble | undefined) => void) {
    this.#link = link;
    this.#clock = clock;
    this.#report = report;
    link.connection.events.on('changed', this.#look);
    link.gateway.events.on('changed', this.#look);
  }

  readonly #look = () => {
    const trouble = troubleOf(this.#link);
    if (trouble?.kind === this.#current) return;
    this.#current = trouble?.kind;
    if (trouble === undefined) {
      if (this.#isReported) this.#report(undefined);
      this.#isReported = false;
      return;
    }
    const nowMs = this.#clock.now();
    if (nowMs - (this.#reportedAtMs.get(trouble.kind) ?? Number.NEGATIVE_INFINITY) < REPORT_AGAIN_MS) return;
    this.#reportedAtMs.set(trouble.kind, nowMs);
    this.#isReported = true;
    this.#report(trouble);
  };
}
