const beginsWith = (error: unknown, text: string): boolean =>
  error instanceof Error && error.message.startsWith(text);

/** What ioredis says when no Sentinel has answered (ioredis 5 and 6). */
export const isWithoutSentinel = (error: unknown): boolean =>
  beginsWith(error, 'All sentinels are unreachable') && !isSentinelRound(error);

/** The same before it asks them all, see the driver's `sentinelRetryStrategy`: nothing has failed yet. */
export const isSentinelRound = (error: unknown): boolean =>
  beginsWith(error, 'All sentinels are unreachable. Retrying from scratch after 0ms');

/** The code of a system error, or the first word of a Redis error, in capitals; else the name. */
export function errorKind(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  if (isWithoutSentinel(error)) return 'SENTINELS_UNREACHABLE';
  const code = (error as { readonly code?: unknown }).code;
  if (typeof code === 'string') return code;
  return /^[A-Z]{3,20}\b/.exec(error.message)?.[0] ?? error.name;
}
