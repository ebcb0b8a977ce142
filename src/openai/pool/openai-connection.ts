import type OpenAI from 'openai';
import { connectionFetch } from '../../http/connection/connection-fetch.ts';
import { type ConnectionCounters, HttpConnection } from '../../http/connection/http-connection.ts';
import type { TlsOptions } from '../../http/connection/tls-options.ts';
import type { Clock } from '../../internal/clock.ts';
import { exchangeDirectly } from '../exchange/chat-exchange.ts';
import type { ApiAddress } from './api-address.ts';
import { ConnectionKey, type KeySource } from './api-key.ts';
import { loadOpenAI } from './load-openai.ts';

export interface OpenAIConnectionOptions {
  readonly apiKey: string | KeySource;
  readonly address: ApiAddress;
  readonly organization: string | undefined;
  readonly project: string | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly requestTimeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  readonly maxResponseBytes: number;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly proxy: string | undefined;
  readonly tls: TlsOptions | undefined;
  readonly clock: Clock;
  readonly counters: ConnectionCounters;
  /** Called when the server closed the idle socket. */
  readonly lost: () => void;
}

/** One keep-alive connection and the OpenAI client that uses it alone. */
export interface OpenAIConnection {
  readonly client: OpenAI;
  readonly http: HttpConnection;
  /** Set where a function gives the key. */
  readonly key: ConnectionKey | undefined;
}

/**
 * Makes a connection, which opens with its first request. The client retries and logs nothing, and ignores the
 * environment where this package can set an option. `openai` is loaded here, at first use.
 */
export async function createOpenAIConnection(options: OpenAIConnectionOptions): Promise<OpenAIConnection> {
  const { apiKey, address, organization, project, headers, requestTimeoutMs } = options;
  const { baseURL, deploymentsVersion: apiVersion, queryVersion, isAzure } = address;
  const key = typeof apiKey === 'string' ? undefined : new ConnectionKey(apiKey);
  const [{ OpenAI, AzureOpenAI }, http] = await Promise.all([
    loadOpenAI(),
    HttpConnection.create({
      origin: new URL(baseURL).origin,
      connectTimeoutMs: options.connectTimeoutMs,
      keepAliveMs: options.keepAliveMs,
      maxResponseBytes: options.maxResponseBytes,
      streamIdleTimeoutMs: options.streamIdleTimeoutMs,
      proxy: options.proxy,
      tls: options.tls,
      clock: options.clock,
      counters: options.counters,
      lost: options.lost,
    }),
  ]);
  // As with Azure's own client: a key has its own header, and a token of Entra is a bearer token.
  const azureHeaders =
    isAzure && apiVersion === undefined && typeof apiKey === 'string' ? { Authorization: null, 'api-key': apiKey } : {};
  const settings = {
    baseURL,
    organization: organization ?? null,
    project: project ?? null,
    adminAPIKey: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: requestTimeoutMs,
    logLevel: 'off',
    fetch: connectionFetch(http),
    ...(queryVersion !== undefined && { defaultQuery: { 'api-version': queryVersion } }),
    defaultHeaders: { ...azureHeaders, ...headers },
  } as const;
  const text = typeof apiKey === 'string' ? apiKey : undefined;
  // An `apiKey` of null keeps Azure's client from reading one from the environment beside the function.
  const azureKey =
    key === undefined ? { apiKey: text } : { apiKey: null as unknown as string, azureADTokenProvider: key.provide };
  const client =
    apiVersion === undefined
      ? new OpenAI({ ...settings, apiKey: text ?? key?.provide })
      : new AzureOpenAI({ ...settings, ...azureKey, apiVersion });
  exchangeDirectly({ client, http, timeoutMs: requestTimeoutMs, errors: OpenAI, key });
  return { client, http, key };
}
