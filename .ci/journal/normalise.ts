import { createHash } from 'node:crypto';
import type { FakeOpenAI } from '@describe-it/sdk/testing';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What a scenario says of its own record. */
export interface RecordOptions {
  /** Times are of a virtual clock, and so the same in every run. */
  readonly hasVirtualTime: boolean;
  /** Requests may be under way at once: those of one moment are sorted, and ids that count requests are left out. */
  readonly isConcurrent: boolean;
}

/** Longer texts are recorded by their hash. */
const MAX_TEXT = 160;
const PORT = /127\.0\.0\.1:\d+/g;
/** How a pack names its images. */
const RANDOM_ID = /^id [0-9a-z]{3}$/;
/** Random by design: ids of requests; wall time; and the bytes of entries, whose ids count the writes of the process. */
const RANDOM_FIELDS = new Set(['clientRequestId', 'generatedAtMs', 'bytes']);

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

const shortText = (text: string): string => {
  const plain = text.replaceAll(PORT, 'HOST').replace(RANDOM_ID, 'id of an image');
  if (plain.startsWith('data:')) return `${plain.slice(0, plain.indexOf(','))} sha256:${digest(plain)}`;
  return plain.length > MAX_TEXT ? `${plain.slice(0, 24)}… ${plain.length} sha256:${digest(plain)}` : plain;
};

/** Of six digits, so that a sum in another order is the same number. */
const shortNumber = (value: number): Json => (Number.isFinite(value) ? Number(value.toPrecision(6)) : String(value));

/** JSON of any value, without what differs between two runs of the same code. */
export function plain(value: unknown, options: RecordOptions, name = ''): Json {
  if (typeof value === 'string') return shortText(value);
  if (typeof value === 'number') return shortNumber(value);
  if (value === null || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((item) => plain(item, options, name));
  if (typeof value !== 'object' || value === undefined) return value === undefined ? null : typeof value;
  // Which of two calls opens a connection, and which a spare one, depends on which image was hashed first.
  if (name === 'created' && options.isConcurrent) return sum(Object.values(value));
  const entries = Object.entries(value)
    .filter(([key, item]) => item !== undefined && isRecorded(key, options))
    .map(([key, item]) => [key.replaceAll(PORT, 'HOST'), plain(item, options, key)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const sum = (values: readonly unknown[]): number => values.reduce<number>((total, value) => total + Number(value), 0);

const isRecorded = (name: string, { hasVirtualTime, isConcurrent }: RecordOptions): boolean =>
  !RANDOM_FIELDS.has(name) &&
  // By the system clock: background commands to Redis, and which messages have arrived.
  (hasVirtualTime || !/Ms$|Seconds$|^operations$|^shared$|^tags$/.test(name)) &&
  !(isConcurrent && name === 'requestId');

interface ErrorFields {
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly explain?: unknown;
}

const ERROR_FIELDS = [
  ...['code', 'status', 'retryable', 'retryAfterMs', 'requestId', 'upstreamMessage', 'usage', 'costUsd'],
] as const;

/** An error without its message, which is prose. */
export function plainError(error: unknown, options: RecordOptions): Json {
  if (!(error instanceof Error)) return { reason: plain(error, options) };
  const fields = Object.fromEntries(
    ERROR_FIELDS.map((name) => [name, (error as unknown as Record<string, unknown>)[name]]),
  );
  const { cause, explain } = error as ErrorFields;
  return plain(
    {
      name: error.name,
      ...fields,
      ...(cause instanceof Error ? { cause: (cause as ErrorFields).code ?? cause.name } : {}),
      ...(explain === undefined ? {} : { explain }),
    },
    options,
  );
}

const IGNORED_HEADERS =
  /^(x-client-request-id|x-stainless-.*|host|connection|content-length|user-agent|accept.*|sec-.*|idempotency-key|traceparent)$/;

/** The requests that reached the servers, in the order of their arrival. */
export function wireJournal(servers: Readonly<Record<string, FakeOpenAI>>, options: RecordOptions): Json[] {
  const requests = Object.entries(servers).flatMap(([server, fake]) =>
    fake.seen().map((seen) => {
      const { number, method, path, apiKey, body, images, outcome, status, code, fault, receivedAtMs } = seen;
      const headers = Object.entries(seen.headers).filter(([name]) => !IGNORED_HEADERS.test(name));
      return {
        server,
        ...(options.hasVirtualTime ? { atMs: receivedAtMs } : {}),
        ...(options.isConcurrent ? {} : { number, connection: `${seen.connection}:${seen.connectionRequest}` }),
        ...{ method, path, apiKey, images, outcome, status, code, fault, body },
        billedTokens: seen.billedTokens,
        headers: Object.fromEntries(headers),
        order: receivedAtMs,
      };
    }),
  );
  const byArrival = requests
    .map(({ order, ...request }, index) => ({ order, index, json: plain(request, options) }))
    .sort((a, b) => a.order - b.order || a.index - b.index);
  if (!options.isConcurrent) return byArrival.map(({ json }) => json);
  return byArrival
    .map((request) => ({ ...request, text: JSON.stringify(request.json) }))
    .sort((a, b) => (options.hasVirtualTime ? a.order - b.order : 0) || (a.text < b.text ? -1 : 1))
    .map(({ json }) => json);
}

/** Of the process and of real time: never the same twice. */
const UNSTEADY_METRIC = /(^|_)(process|nodejs|event_loop|eventloop|heap|memory_usage|cpu|uptime|gc)_/;

/** Samples of the metrics text by name and labels. */
export function plainMetrics(text: string, { hasVirtualTime }: RecordOptions): Json {
  const samples = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !UNSTEADY_METRIC.test(line.replace(/[{ ].*$/, '')))
    .filter((line) => hasVirtualTime || !/_seconds(_sum|_bucket)?[{ ]/.test(line))
    .map((line) => /^(.*) (\S+)$/.exec(line))
    .flatMap((match) => (match === null ? [] : [[match[1]?.replaceAll(PORT, 'HOST'), shortNumber(Number(match[2]))]]));
  return Object.fromEntries(samples.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}
