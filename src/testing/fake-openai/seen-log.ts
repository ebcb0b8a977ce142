import { deepFreeze } from '../../internal/deep-freeze.ts';
import type { Fault } from './fault-plan.ts';
import type { Endpoint } from './vision-request.ts';

/** How a request ended: `aborted` by the client, `broken` off by a fault or an outage. */
export type SeenOutcome = 'pending' | 'answered' | 'aborted' | 'broken';

/** One request, as the server saw it. Secrets that are not the server's own keys are left out. */
export interface SeenRequest {
  /** From 1; chat and responses share a count, models have their own. */
  readonly number: number;
  readonly endpoint: Endpoint;
  readonly method: string;
  readonly path: string;
  /** The key, if it is one of the server's own. */
  readonly apiKey: string | undefined;
  /** Without `authorization` and `api-key`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed JSON, `undefined` when there was none. */
  readonly body: unknown;
  readonly bodyBytes: number;
  readonly model: string | undefined;
  readonly stream: boolean;
  /** Hashes of the images (12 digits), in the order sent. */
  readonly images: readonly string[];
  /** Number of its connection, from 1. */
  readonly connection: number;
  /** Position on its connection: 1 opened it, later ones reused it. */
  readonly connectionRequest: number;
  /** When its headers arrived, by the server's clock. */
  readonly receivedAtMs: number;
  readonly durationMs: number | undefined;
  readonly outcome: SeenOutcome;
  /** `undefined` when no answer was begun. */
  readonly status: number | undefined;
  /** The error code that was answered. */
  readonly code: string | undefined;
  /** A quirk stands here only where nothing else happened. */
  readonly fault: Fault['kind'] | undefined;
  readonly billedTokens: number;
}

/** The request while it is being answered. */
export type OpenRequest = { -readonly [Name in keyof SeenRequest]: SeenRequest[Name] };

/** The last requests with their bodies, bounded by number and bytes. */
export class SeenLog {
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  readonly #requests = new Set<OpenRequest>();
  #bytes = 0;

  constructor(maxRequests: number, maxBytes: number) {
    this.#maxRequests = maxRequests;
    this.#maxBytes = maxBytes;
  }

  add(request: OpenRequest): void {
    this.#requests.add(request);
    this.#trim();
  }

  /** Counts the body of a request that was added before. */
  addBody(request: OpenRequest, body: unknown): void {
    if (!this.#requests.has(request)) return;
    request.body = body;
    this.#bytes += request.bodyBytes;
    this.#trim();
  }

  list(): readonly SeenRequest[] {
    return deepFreeze([...this.#requests].map((request) => ({ ...request })));
  }

  clear(): void {
    this.#requests.clear();
    this.#bytes = 0;
  }

  #trim(): void {
    for (const oldest of this.#requests) {
      if (this.#requests.size <= this.#maxRequests && this.#bytes <= this.#maxBytes) return;
      this.#requests.delete(oldest);
      if (oldest.body !== undefined) this.#bytes -= oldest.bodyBytes;
    }
  }
}
