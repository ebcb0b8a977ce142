import { HttpConnection } from '../http/connection/http-connection.ts';
import { TRANSPORT_SPEC, type TransportOptions } from '../http/connection/transport-options.ts';
import { HttpClient, type HttpClientOptions } from '../http/http-client.ts';
import { bindMethods } from '../internal/bind-methods.ts';
import { baseUrl, headerRecord } from '../internal/options/http-checks.ts';
import {
  checkOptions,
  milliseconds,
  nonEmptyText,
  type OptionChecks,
  required,
} from '../internal/options/option-checks.ts';
import { type Settings, withDefault } from '../internal/options/option-spec.ts';
import { callOptions } from '../internal/options/own-options.ts';
import type { CreateContext, ResourceFactory, ValidateContext } from './options/resource-factory.ts';

export interface HttpClientFactoryOptions extends TransportOptions {
  /**
   * Base of every path; its query is added to every request. It must not hold credentials: pass them in `headers`.
   * @defaultValue none: it must be given
   */
  readonly baseURL: string;
  /** Headers sent with every request. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Timeout of a whole answer, in milliseconds. @defaultValue 30_000 */
  readonly timeoutMs?: number | undefined;
  /**
   * How long an idle socket is kept, in milliseconds, unless the server announces a shorter time.
   * @defaultValue 60_000
   */
  readonly keepAliveMs?: number | undefined;
  /** Path that a pool's background health check requests; any answer passes. @defaultValue none */
  readonly healthCheckPath?: string | undefined;
}

export const HTTP_CLIENT_SPEC = {
  baseURL: required(baseUrl(), 'an http or https URL'),
  headers: withDefault(headerRecord(), {}),
  timeoutMs: withDefault(milliseconds(), 30_000),
  keepAliveMs: withDefault(milliseconds(), 60_000),
  healthCheckPath: nonEmptyText(),
  ...TRANSPORT_SPEC,
} satisfies OptionChecks<HttpClientFactoryOptions>;

/** An HTTP client that its factory can close. */
export class PooledHttpClient extends HttpClient {
  readonly #connection: HttpConnection;

  constructor(connection: HttpConnection, settings: HttpClientOptions) {
    super(connection, settings);
    this.#connection = connection;
  }

  /** Cuts the connection and what is in flight on it. */
  async close(): Promise<void> {
    await this.#connection.destroy();
  }
}

/**
 * Makes HTTP clients, each on one keep-alive connection of its own. It is a factory for a `ResourcePool`.
 *
 * @example
 * ```ts
 * import { createResourcePool, HttpClientFactory } from '@describe-it/sdk/resource-pool';
 *
 * const pool = createResourcePool({
 *   factory: new HttpClientFactory({ baseURL: 'https://images.example.com/api' }),
 *   maxSize: 5,
 * });
 * const { status, data } = await pool.use((http) => http.get('albums/1'));
 * ```
 */
export class HttpClientFactory implements ResourceFactory<PooledHttpClient> {
  readonly #options: Settings<HttpClientFactoryOptions, typeof HTTP_CLIENT_SPEC>;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
  constructor(options: HttpClientFactoryOptions) {
    this.#options = checkOptions('HttpClientFactory', options, HTTP_CLIENT_SPEC);
  }

  /** Makes a client. Its connection opens with its first request. */
  async create({ suspect }: Partial<CreateContext> = {}): Promise<PooledHttpClient> {
    const { baseURL, headers, timeoutMs, ...transport } = this.#options;
    const { origin } = new URL(baseURL);
    const connection = await HttpConnection.create(callOptions({ ...transport, origin, lost: suspect }));
    return bindMethods(new PooledHttpClient(connection, { baseURL, headers, timeoutMs }));
  }

  /** Closes a client. */
  async destroy(client: PooledHttpClient): Promise<void> {
    await client.close();
  }

  /** A client whose connection failed is no longer valid, nor one that gets no answer from `healthCheckPath`. */
  validate(client: PooledHttpClient, { phase, signal }: ValidateContext): boolean | Promise<boolean> {
    const { healthCheckPath } = this.#options;
    if (client.failed || phase === 'borrow' || healthCheckPath === undefined) return !client.failed;
    return client.get(healthCheckPath, { signal }).then(
      () => true,
      () => !client.failed,
    );
  }
}
