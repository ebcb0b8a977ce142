import { ConfigError, type ConfigIssue } from '../../errors/config-error.ts';
import type { EndpointDescription } from './endpoint-options.ts';

/**
 * Endpoints without a key, by name, each with its issue. A missing key is no error at construction: a build or a test
 * may load a module that makes a client.
 */
export type MissingKeys = ReadonlyMap<string, ConfigIssue>;

/** @param areNamed - Whether they come from the option `endpoints`. */
export function missingKeysOf(endpoints: readonly EndpointDescription[], areNamed: boolean): MissingKeys {
  const missing = new Map<string, ConfigIssue>();
  for (const [index, { name, apiKey }] of endpoints.entries()) {
    if (apiKey !== '') continue;
    const issue = areNamed
      ? { option: `endpoints[${index}].apiKey`, expected: `a key for the endpoint ${JSON.stringify(name)}` }
      : { option: 'apiKey', expected: 'a key, here or in OPENAI_API_KEY' };
    missing.set(name, { ...issue, got: 'nothing' });
  }
  return missing;
}

/** The error of a call that needs one of these keys. */
export const missingKeyError = (...issues: readonly ConfigIssue[]): ConfigError =>
  new ConfigError('createDescribeClient', issues);
