import type OpenAI from 'openai';
import type { AcquireOptions, Lease } from '../../resource-pool/index.ts';
import type { OpenAIConnection } from './openai-connection.ts';

/** Lends a client for one call, as `OpenAIConnectionPool` does. */
export interface OpenAIConnectionLender {
  use<Result>(fn: (client: OpenAI) => Result | PromiseLike<Result>, options?: AcquireOptions): Promise<Awaited<Result>>;
}

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
   * Gives the connection back. A failed connection is replaced. A streaming one is lent again when its stream has
   * ended.
   * @throws `DESCRIBE_LEASE_INVALID` when the lease had ended already.
   */
  readonly release: () => void;
  /**
   * Gives the connection back to be cut.
   * @throws `DESCRIBE_LEASE_INVALID` when the lease had ended already.
   */
  readonly destroy: () => void;
  /**
   * Gives the connection back, and the pool to an owner that borrows for each of its requests, such as a
   * `VisionDescriptionBatchProcessor`. The lease has ended; a later `release()` or `destroy()` does nothing.
   * @throws `DESCRIBE_LEASE_INVALID` when the lease had ended already.
   */
  readonly handOver: () => OpenAIConnectionLender;
}

/**
 * The lease of each client on loan. A caller that holds only the client still uses it: the lease keeps the pool
 * reachable.
 */
const lent = new WeakMap<OpenAI, ConnectionLease>();

/** A lease of the pool below, seen as a client. */
export class ConnectionLease implements OpenAIConnectionLease {
  readonly #lease: Lease<OpenAIConnection>;
  readonly #connection: OpenAIConnection;
  readonly #pool: OpenAIConnectionLender;
  #ended = false;
  #handedOver = false;

  constructor(lease: Lease<OpenAIConnection>, pool: OpenAIConnectionLender) {
    this.#lease = lease;
    this.#pool = pool;
    this.#connection = lease.resource;
    lent.set(lease.resource.client, this);
  }

  get client(): OpenAI {
    return this.#lease.resource.client;
  }

  readonly release = (): void => {
    if (this.#handedOver) return;
    this.#end();
    if (this.#connection.http.failed) this.#lease.destroy();
    else this.#lease.release();
  };

  readonly destroy = (): void => {
    if (this.#handedOver) return;
    this.#end();
    this.#lease.destroy();
  };

  readonly handOver = (): OpenAIConnectionLender => {
    this.release();
    this.#handedOver = true;
    return this.#pool;
  };

  #end(): void {
    this.#ended = true;
    lent.delete(this.#connection.client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    try {
      this.release();
    } catch {
      // The pool took the connection back: nothing is left to end.
    }
  }
}
