import { bindMethods } from '../internal/bind-methods.ts';
import { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';

/**
 * Makes a client; opens nothing until needed, and never throws for an absent Redis or a missing key. Options win over
 * the environment, which is read now and wins over defaults.
 *
 * @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option and environment variable.
 * @example
 * ```ts
 * import { createDescribeClient } from '@describe-it/sdk';
 *
 * const client = createDescribeClient({ apiKey: 'sk-…' });
 * const { description } = await client.describe('https://example.com/cat.jpg');
 * console.log(description);
 * await client.close();
 * ```
 */
export function createDescribeClient(options: DescribeClientOptions = {}): DescribeClient {
  return bindMethods(new DescribeClient(options));
}
