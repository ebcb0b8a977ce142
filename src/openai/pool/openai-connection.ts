import type OpenAI from 'openai';
import { connectionFetch } from '../../http/connection/connection-fetch.ts';
import { type ConnectionCounters, HttpConnection } from '../../http/connection/http-connection.ts';
import { exchangeDirectly } from '../exchange/send-exchange.ts';
import type { ApiAddress } from './api-address.ts';
import { ConnectionKey, type KeySource } from './api-key.ts';
import { loadOpenAI } from './load-openai.ts';
import type { PoolSettings } from './openai-pool-options.ts';

export interface OpenAIConnectionOptions {
  readonly apiKey: string | KeySource;
  readonly address: ApiAddress;
  readonly settings: PoolSettings;
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
 * Makes a connection, which opens with its first request. The client retries nothing, logs nothing, and ignores the
 * environment where this package has an option. `openai` is loaded here, at first use.
 */
export async function createOpenAIConnection({
  apiKey,
  address,
  settings: { organization, project, headers, requestTimeoutMs, idleTimeoutMs: keepAliveMs, ...transport },
  counters,
  lost,
}: OpenAIConnectionOptions): Promise<OpenAIConnection> {
  const { baseURL, deploymentsVersion: apiVersion, queryVersion, isAzure } = address;
  const { connectTimeoutMs, maxResponseBytes, streamIdleTimeoutMs, proxy, tls, clock } = transport;
  const limits = { connectTimeoutMs, keepAliveMs, maxResponseBytes, streamIdleTimeoutMs };
  const key = typeof apiKey === 'string' ? undefined : new ConnectionKey(apiKey);
  const [{ OpenAI, AzureOpenAI }, http] = await Promise.all([
    loadOpenAI(),
    HttpConnection.create({ origin: new URL(baseURL).origin, ...limits, proxy, tls, clock, counters, lost }),
  ]);
  // As Azure's own client does: a key has a header of its own, and a token of Entra is a bearer token.
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
