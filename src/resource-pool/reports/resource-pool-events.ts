import type { GrowReason, RetireReason } from './resource-pool-stats.ts';

export interface ResourcePoolEvents {
  /** The pool grew to `size` resources. */
  readonly created: { readonly reason: GrowReason; readonly size: number; readonly waiting: number };
  /** A resource could not be made; nothing is made for `retryInMs`. */
  readonly createFailed: { readonly error: unknown; readonly failures: number; readonly retryInMs: number };
  /** The pool shrank to `size` resources: one was taken out to be destroyed. */
  readonly retired: { readonly reason: RetireReason; readonly size: number };
  /** `factory.destroy` threw or took too long. */
  readonly destroyFailed: { readonly error: unknown };
  /** A loan is older than `leakThresholdMs`; `acquiredAt` is the stack of its acquire. Emitted once per loan. */
  readonly leaked: { readonly heldMs: number; readonly acquiredAt: string };
  /** An acquire reached its timeout. */
  readonly acquireTimedOut: { readonly timeoutMs: number; readonly waiting: number };
  /** The pool is closed and every resource is gone. */
  readonly closed: { readonly reason?: unknown };
}
