/** Why a resource is made. `waiting`: an acquire waits and nothing is idle. `min-size`: the pool is below `minSize`. */
export type GrowReason = 'waiting' | 'min-size';

/** Why a resource was destroyed. `yielded`: another pool, with which this one shares permits, waited for one. */
export type RetireReason =
  | 'broken'
  | 'invalid'
  | 'reset-failed'
  | 'idle'
  | 'lifetime'
  | 'usage'
  | 'requested'
  | 'yielded'
  | 'closed';

/** `open` accepts acquires. `draining` serves those that wait and refuses new ones. `closed` is final. */
export type ResourcePoolState = 'open' | 'draining' | 'closed';

/** A snapshot of a pool: frozen and JSON-safe. Counts with a past tense run since the pool was made. */
export interface ResourcePoolStats {
  readonly state: ResourcePoolState;
  /** Resources that exist, are being made or are being destroyed. Never above `maxSize`. */
  readonly size: number;
  readonly minSize: number;
  readonly maxSize: number;
  readonly idle: number;
  /** On loan, or being cleaned after a loan. */
  readonly borrowed: number;
  /** Being validated. */
  readonly checking: number;
  readonly creating: number;
  readonly destroying: number;
  /** Acquires that wait. */
  readonly waiting: number;
  /** Loans given. */
  readonly acquired: number;
  /** Resources made, by reason. */
  readonly created: Readonly<Record<GrowReason, number>>;
  /** Creates that failed. */
  readonly createFailed: number;
  /** Resources destroyed, by reason. */
  readonly retired: Readonly<Record<RetireReason, number>>;
  /** Acquires whose timeout was over. */
  readonly timedOut: number;
  /** Acquires that were aborted while they waited. */
  readonly aborted: number;
  /** Acquires refused because `maxWaiting` others waited. */
  readonly refused: number;
  /** Loans reported as leaked. */
  readonly leaked: number;
}

/** The counts behind the snapshot. */
export class PoolCounters {
  acquired = 0;
  createFailed = 0;
  timedOut = 0;
  aborted = 0;
  refused = 0;
  leaked = 0;
  readonly created: Record<GrowReason, number> = { waiting: 0, 'min-size': 0 };
  readonly retired: Record<RetireReason, number> = {
    broken: 0,
    invalid: 0,
    'reset-failed': 0,
    idle: 0,
    lifetime: 0,
    usage: 0,
    requested: 0,
    yielded: 0,
    closed: 0,
  };
}
