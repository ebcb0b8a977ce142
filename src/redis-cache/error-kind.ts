/** What ioredis says when no Sentinel has answered (ioredis 5 and 6). */
export const isWithoutSentinel = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('All sentinels are unreachable');

/** The code of a system error, or the first word of a Redis error, in capitals; else the name. */
export function errorKind(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  if (isWithoutSentinel(error)) return 'SENTINELS_UNREACHABLE';
  const code = (error as { readonly code?: unknown }).code;
  if (typeof code === 'string') return code;
  return /^[A-Z]{3,20}\b/.exec(error.message)?.[0] ?? error.name;
}
