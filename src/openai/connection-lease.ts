import type OpenAI from 'openai';
import type { Lease } from '../resource-pool/index.ts';
import type { OpenAIConnection } from './openai-connection.ts';

/**
 * A client on loan, alone on its connection, until `release()` or `destroy()`. Both may be taken apart from it:
 * `const { client, release } = await pool.acquire()`.
 */
export interface OpenAIConnectionLease extends AsyncDisposable {
  /**
   * A real `OpenAI` client that retries nothing.
   * @throws `DESCRIBE_LEASE_INVALID` after the lease ended, or its pool cut the connection.
   */
  readonly client: OpenAI;
  /**
   * Gives the connection back. One that failed is replaced, and one that still streams is lent again when it has ended.
   * @throws `DESCRIBE_LEASE_INVALID` when the lease had ended already.
   */
  readonly release: () => void;
  /**
   * Gives the connection back to be cut.
   * @throws `DESCRIBE_LEASE_INVALID` when the lease had ended already.
   */
  readonly destroy: () => void;
}

/** A lease of the pool below, seen as a client. */
export class ConnectionLease implements OpenAIConnectionLease {
  readonly #lease: Lease<OpenAIConnection>;
  readonly #connection: OpenAIConnection;
  #ended = false;

  constructor(lease: Lease<OpenAIConnection>) {
    this.#lease = lease;
    this.#connection = lease.resource;
  }

  get client(): OpenAI {
    return this.#lease.resource.client;
  }

  readonly release = (): void => {
    this.#ended = true;
    if (this.#connection.http.failed) this.#lease.destroy();
    else this.#lease.release();
  };

  readonly destroy = (): void => {
    this.#ended = true;
    this.#lease.destroy();
  };

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    try {
      this.release();
    } catch {
      // The pool took the connection back: nothing is left to end.
    }
  }
}
