import type { ResourcePoolStats } from '../../resource-pool/index.ts';

/** `healthy`: what was checked answers. `degraded`: some of it. `unhealthy`: none of it, or the key was refused. */
export interface OpenAIPoolHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** Connections that were asked. */
  readonly checked: number;
  /** Those of them that gave no answer and are being replaced. */
  readonly failed: number;
  /** Whether the API refused the key: calls fail until it is asked again. */
  readonly keyRefused: boolean;
}

/** Stats of the pool, and what its connections did. */
export interface OpenAIConnectionPoolStats extends ResourcePoolStats {
  /** Scheme, host and port of the API. */
  readonly origin: string;
  readonly connections: {
    /** Sockets opened. */
    readonly opened: number;
    readonly requests: number;
    /** Requests sent again because a kept-alive socket had died before any byte of an answer. */
    readonly resent: number;
    /** Requests that failed on the way, not by their answer. */
    readonly failed: number;
  };
  readonly keyRefused: boolean;
  /** Milliseconds until a refused key is tried again; absent for one that is not. */
  readonly keyTriedInMs?: number;
  /** The reason that ended the pool, such as a missing package `openai`; absent otherwise. */
  readonly unusableReason?: string;
}
