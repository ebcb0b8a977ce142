import type { RateLimitSnapshot } from '../quota/rate-limit-snapshot.ts';

/** What the router needs to know of a call. */
export interface RouteJob {
  readonly model: string;
  /** Estimated tokens that the call takes from the quota. */
  readonly tokens: number;
  /** Higher goes first; 0 is usual. */
  readonly priority: number;
  readonly signal: AbortSignal;
  /** When the call must have ended, on the router's clock. */
  readonly deadlineAtMs: number;
  /**
   * Names of endpoints that failed this call already: used only while no other can take it within a second, free slots
   * aside.
   */
  readonly avoid?: ReadonlySet<string> | undefined;
}

/** What an answer says of itself. */
export interface RouteAnswer {
  readonly limits?: RateLimitSnapshot | undefined;
  /** Tokens that the API counted against the limit. */
  readonly chargedTokens?: number | undefined;
  /** Tokens that it wrote, which is what most of its time went into. */
  readonly outputTokens?: number | undefined;
  /** Organisation that the API counted the call for. */
  readonly organization?: string | undefined;
}

/** One attempt of a call at the endpoint that it was given to. */
export interface RouteLeg<Target> {
  readonly endpoint: string;
  /** The model to send. */
  readonly model: string;
  readonly target: Target;
  /** Milliseconds that the call waited for this attempt. */
  readonly queueMs: number;
  /**
   * From here on bytes may have left. A failure without it is nothing sent: the quota is given back and the call may
   * switch.
   */
  sent(): void;
  /** Takes `sent` back: it turned out that no byte left, as where no connection came about. */
  unsent(): void;
  /** The API answered; to be told before the attempt ends. */
  answered(report: RouteAnswer): void;
  /** The API refused for going too fast, or failed, and its headers said this. */
  limited(report: { readonly limits?: RateLimitSnapshot | undefined }): void;
}

/** Makes one attempt. It rejects with a `DescribeError`, or with anything else when the call itself ended. */
export type RouteAttempt<Target, Value> = (leg: RouteLeg<Target>) => Promise<Value>;
