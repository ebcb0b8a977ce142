import type { ErrorCode } from '../errors/error-code.ts';
import { type FailureKind, failureKind } from './failure-kind.ts';

/**
 * What a failure is about, and so what it would come to again:
 * - `item`: this image or request, at every endpoint;
 * - `key`: whatever is sent with this key;
 * - `model`: this model, with this key at this endpoint;
 * - `quota-group`: whatever counts against the same limits or account;
 * - `endpoint`: whatever is sent there now;
 * - `process`: a bound of this process's own.
 */
export type FailureScope = 'item' | 'key' | 'model' | 'quota-group' | 'endpoint' | 'process';

const SCOPES: { readonly [Kind in FailureKind]: FailureScope } = {
  outage: 'endpoint',
  throttle: 'quota-group',
  content: 'item',
  quota: 'quota-group',
  auth: 'key',
  item: 'item',
  local: 'process',
};

/** Codes of a model that is not to be had at an endpoint, of OpenAI and of Azure. */
const MISSING_MODEL_CODES: ReadonlySet<string | undefined> = new Set([
  'model_not_found',
  'DeploymentNotFound',
]);

/** What a classified failure is about. */
export function failureScope(error: {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly status?: number;
  readonly upstreamCode?: string;
}): FailureScope {
  const { status, upstreamCode } = error;
  if (status === 404 && MISSING_MODEL_CODES.has(upstreamCode)) return 'model';
  // The API knows a key that it answers 403 to: it may not have this model, or not from here.
  if (status === 403) return 'model';
  return SCOPES[failureKind(error)];
}
