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

/**
 * Reports each trouble with Redis once. `report` is called with a trouble that begins, and with undefined when a
 * reported one has ended.
 */
export function watchTroubles(
  link: RedisLink,
  clock: Clock,
  report: (trouble: RedisTrouble | undefined) => void,
): void {
  const reportedAtMs = new Map<RedisTrouble['kind'], number>();
  let current: RedisTrouble['kind'] | undefined;
  let isReported = false;
  const look = () => {
    // Closing ends no trouble.
    if (link.connection.state === 'closed') return;
    const trouble = troubleOf(link);
    if (trouble?.kind === current) return;
    current = trouble?.kind;
    if (trouble === undefined) {
      if (isReported) report(undefined);
      isReported = false;
      return;
    }
    const nowMs = clock.now();
    if (nowMs - (reportedAtMs.get(trouble.kind) ?? Number.NEGATIVE_INFINITY) < REPORT_AGAIN_MS) return;
    reportedAtMs.set(trouble.kind, nowMs);
    isReported = true;
    report(trouble);
  };
  link.connection.events.on('changed', look);
  link.gateway.events.on('changed', look);
}
