import { DescribeError } from '../errors/describe-error.ts';
import type { ClientParts } from './compose-parts.ts';

const FAILED = 'the warm-up failed';

/**
 * Opens and authenticates the minimum of connections of every endpoint.
 * @throws `DESCRIBE_CONFIG_INVALID` when there is no key; the first failure when no endpoint could be reached;
 * the reason of `ended` when that aborts meanwhile.
 */
export async function warmUpEndpoints(
  { endpoints, logger, makeRefusal }: ClientParts,
  ended?: AbortSignal,
): Promise<void> {
  if (makeRefusal !== undefined) throw makeRefusal();
  try {
    await endpoints.warmUp((endpoint, code) => logger.warn({ endpoint, code }, FAILED));
  } catch (error) {
    ended?.throwIfAborted();
    throw error;
  }
}

/** The same for `warmUpOnStart`, where nobody waits: logs the failure. */
export function warmUpOnStart(parts: ClientParts): void {
  warmUpEndpoints(parts).catch((error: unknown) => {
    const fields = DescribeError.is(error) ? { code: error.code, reason: error.message } : {};
    parts.logger.warn(fields, FAILED);
  });
}
