import type { ResourcePoolStats } from '../../resource-pool/index.ts';

/** `healthy`: all checked connections answer. `degraded`: some of them. `unhealthy`: none, or the key was refused. */
export interface OpenAIPoolHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** Connections that were checked. */
  readonly checked: number;
  /** Those of them that gave no answer and are being replaced. */
  readonly failed: number;
  /** Whether the API refused the key. Calls fail until it is tried again. */
  readonly keyRefused: boolean;
}

/** Stats of the pool and its connections. */
export interface OpenAIConnectionPoolStats extends ResourcePoolStats {
  /** Scheme, host and port of the API. */
  readonly origin: string;
  readonly connections: {
    /** Sockets opened. */
    readonly opened: number;
    readonly requests: number;
    /** Requests sent again because a kept-alive socket had died before any byte of an answer. */
    readonly resent: number;
    /** Requests that failed without an answer. */
    readonly failed: number;
  };
  readonly keyRefused: boolean;
  /** Milliseconds until a refused key is tried again; absent for one that is not. */
  readonly keyTriedInMs?: number;
  /** The reason that ended the pool, such as a missing package `openai`; absent otherwise. */
  readonly unusableReason?: string;
}
