import { DescribeError } from '../errors/describe-error.ts';
import type { ClientParts } from './compose-parts.ts';

const FAILED = 'the warm-up failed';

/**
 * Opens and authenticates the minimum of connections of every endpoint.
 * @throws `DESCRIBE_CONFIG_INVALID` when there is no key; the first failure when no endpoint could be reached.
 */
export async function warmUpEndpoints({ endpoints, logger, makeKeyError }: ClientParts): Promise<void> {
  if (makeKeyError !== undefined) throw makeKeyError();
  await endpoints.warmUp((endpoint, code) => logger.warn({ endpoint, code }, FAILED));
}

/** The same for `warmUpOnStart`, where nobody waits: logs the failure. */
export function warmUpOnStart(parts: ClientParts): void {
  warmUpEndpoints(parts).catch((error: unknown) => {
    const fields = DescribeError.is(error) ? { code: error.code, reason: error.message } : {};
    parts.logger.warn(fields, FAILED);
  });
}
