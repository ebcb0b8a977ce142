import type OpenAI from 'openai';
import { connectionFetch } from '../http/connection-fetch.ts';
import { type ConnectionCounters, HttpConnection } from '../http/http-connection.ts';
import type { TlsOptions } from '../http/tls-options.ts';
import type { Clock } from '../internal/clock.ts';
import { exchangeDirectly } from './chat-exchange.ts';
import { loadOpenAI } from './load-openai.ts';

export interface OpenAIConnectionOptions {
  readonly apiKey: string;
  readonly baseURL: string;
  readonly organization: string | undefined;
  readonly project: string | undefined;
  readonly apiVersion: string | undefined;
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
  /** Told when the server closed the idle socket. */
  readonly lost: () => void;
}

/** One keep-alive connection and the OpenAI client that speaks on it alone. */
export interface OpenAIConnection {
  readonly client: OpenAI;
  readonly http: HttpConnection;
}

/**
 * Makes a connection, which opens with its first request. The client retries nothing, logs nothing and takes nothing
 * from the environment that this package could set; `openai` is loaded here, at first use.
 */
export async function createOpenAIConnection(options: OpenAIConnectionOptions): Promise<OpenAIConnection> {
  const { apiKey, baseURL, organization, project, apiVersion, headers, requestTimeoutMs } = options;
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
  const settings = {
    apiKey,
    baseURL,
    organization: organization ?? null,
    project: project ?? null,
    adminAPIKey: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: requestTimeoutMs,
    logLevel: 'off',
    fetch: connectionFetch(http),
    ...(headers !== undefined && { defaultHeaders: { ...headers } }),
  } as const;
  const client =
    apiVersion === undefined ? new OpenAI(settings) : new AzureOpenAI({ ...settings, apiVersion });
  exchangeDirectly(client, http, requestTimeoutMs, OpenAI);
  return { client, http };
}
