const beginsWith = (error: unknown, text: string): boolean => error instanceof Error && error.message.startsWith(text);

/** Whether no Sentinel has answered, by the message of ioredis 5 and 6. */
export const isWithoutSentinel = (error: unknown): boolean =>
  beginsWith(error, 'All sentinels are unreachable') && !isSentinelRound(error);

/** The same message before all were asked, see `sentinelRetryStrategy` of the driver. Nothing has failed yet. */
export const isSentinelRound = (error: unknown): boolean =>
  beginsWith(error, 'All sentinels are unreachable. Retrying from scratch after 0ms');

/** Whether no node of a Cluster could be asked. The nodes gave the reason before. */
export const isOfAllNodes = (error: unknown): boolean => error instanceof Error && 'lastNodeError' in error;

/** Messages by which the server refuses a command: no permission, renamed, or blocked by a proxy. */
const REFUSED =
  /^(?:NOPERM|MISCONF|NOREPLICAS)\b|^-?ERR:? (?:unknown|unsupported|disallowed|forbidden|command (?:is )?not|ACL failure|the user executing the script can't|.*command is not (?:available|allowed|supported))/i;

/** The kind of an answer that refuses a command for good, while other commands work; undefined otherwise. */
export function refusalKind(error: unknown): string | undefined {
  if (!(error instanceof Error) || !REFUSED.test(error.message)) return undefined;
  const [word] = /^(?:MISCONF|NOREPLICAS)/.exec(error.message) ?? [];
  return word ?? (/^NOPERM|ACL|the script can't/.test(error.message) ? 'NOPERM' : 'UNKNOWN_COMMAND');
}

/** Beginnings of messages of ioredis 5 and 6 that have no code. */
const SENTENCES = Object.entries({
  'Connection is closed': 'CONNECTION_CLOSED',
  "Stream isn't writeable": 'CONNECTION_CLOSED',
  'Reached the max retries': 'CONNECTION_CLOSED',
  'Socket timeout': 'SOCKET_TIMEOUT',
  'Command timed out': 'COMMAND_TIMEOUT',
  'Protocol error': 'PROTOCOL_ERROR',
  'Unknown RESP type': 'PROTOCOL_ERROR',
});

/** The code of a system error, or the first word of a Redis error, in capitals; else the name. */
export function errorKind(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  if (isWithoutSentinel(error)) return 'SENTINELS_UNREACHABLE';
  const code = (error as { readonly code?: unknown }).code;
  if (typeof code === 'string') return code;
  const [, kind] = SENTENCES.find(([beginning]) => beginsWith(error, beginning)) ?? [];
  return kind ?? /^[A-Z]{3,20}\b/.exec(error.message)?.[0] ?? error.name;
}
