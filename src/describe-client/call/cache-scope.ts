import { boundedText, type OptionCheck } from '../../internal/options/option-checks.ts';

const MAX_SCOPE_LENGTH = 256;

export const cacheScopeCheck = (): OptionCheck => boundedText(MAX_SCOPE_LENGTH);

/**
 * The scope of a request as one text: a request's `cacheScope` is nested below its client's, so no request can name a
 * scope outside it. Empty without a scope. JSON keeps two paths of scopes apart, whatever characters they hold.
 */
export function scopePath(clientScope: string | undefined, requestScope: string | undefined): string {
  if (clientScope === undefined && requestScope === undefined) return '';
  return JSON.stringify([clientScope, requestScope].filter((scope) => scope !== undefined));
}
