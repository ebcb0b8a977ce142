import { randomBytes } from 'node:crypto';
import type { AtomicScript } from './atomic-script.ts';
import type { SharedDimension } from './shared-dimension.ts';
import { COMMON_RESULTS, DIMENSION_RESULTS, SHARED_QUOTA } from './shared-quota-script.ts';
import type { SharedWallet, WalletRequest } from './shared-wallet.ts';

/** How far in the future a grant may be. */
export const HORIZON_MS = 1_000;
const KEY_TTL_MS = 600_000;

/** A question to the store, with the state of this process. */
export interface StoreQuestion {
  readonly wish: WalletRequest;
  readonly pauseMs: number;
  readonly guardMs: number;
  /** Whether this process saw the state before. A state that is gone then begins with empty buckets. */
  readonly seen: boolean;
}

export interface StoreAnswer {
  readonly granted: { readonly requests: number; readonly tokens: number } | undefined;
  /** Milliseconds until the grant may be used, or until one may be possible. */
  readonly waitMs: number;
  readonly pauseMs: number;
  readonly members: number;
}

/** Asks the store: sends what the others should know, and returns the new state and the time of the store. */
export class SharedStore {
  readonly #script: AtomicScript;
  readonly #requests: SharedDimension;
  readonly #tokens: SharedDimension;
  readonly #wallet: SharedWallet;
  readonly #keys: readonly string[];
  readonly #member = randomBytes(9).toString('base64url');
  /** The clock of the store less this process's; only this class writes it. */
  offsetMs = 0;

  constructor(
    name: string,
    script: AtomicScript,
    requests: SharedDimension,
    tokens: SharedDimension,
    wallet: SharedWallet,
  ) {
    this.#script = script;
    this.#requests = requests;
    this.#tokens = tokens;
    this.#wallet = wallet;
    // One slot of a Cluster, whatever the name holds.
    const key = `quota:{${name.replace(/[{}]/g, '_')}}`;
    this.#keys = [key, `${key}:members`];
  }

  /** Rejects when the store is away. `now` reads this process's clock. */
  async ask({ wish, pauseMs, guardMs, seen }: StoreQuestion, now: () => number): Promise<StoreAnswer> {
    const { held } = this.#wallet;
    const askedAtMs = now();
    const args = [
      ...['', this.#member, KEY_TTL_MS, pauseMs, HORIZON_MS, guardMs, seen ? 1 : 0],
      ...[wish.requests, wish.leastRequests, ...this.#requests.report(held.requests)],
      ...[wish.tokens, wish.leastTokens, ...this.#tokens.report(held.tokens)],
    ];
    const reply = (await this.#script.run(SHARED_QUOTA, this.#keys, args)).map(Number);
    const [granted, waitMs = 0, atMs = 0, restMs = 0, members = 1] = reply;
    this.offsetMs = atMs - (askedAtMs + now()) / 2;
    this.#requests.see(atMs, reply.slice(COMMON_RESULTS));
    this.#tokens.see(atMs, reply.slice(COMMON_RESULTS + DIMENSION_RESULTS));
    return { granted: grantOf(wish, granted), waitMs, pauseMs: restMs, members: Math.max(1, members) };
  }
}

function grantOf(wish: WalletRequest, granted: number | undefined) {
  if (granted === 2) return { requests: wish.requests, tokens: wish.tokens };
  if (granted === 1) return { requests: wish.leastRequests, tokens: wish.leastTokens };
  return undefined;
}
