import { DescribeError } from './describe-error.ts';
import { setErrorName } from './error-name.ts';

/** The cache failed; only seen with `strict: true`, and where a value can't be encoded. */
export class CacheError extends DescribeError {
  constructor(message: string, options: { readonly cause?: unknown; readonly retryable?: boolean } = {}) {
    super('DESCRIBE_CACHE', message, options);
  }
}

setErrorName(CacheError, 'CacheError');

/** `cache: 'only-if-cached'` was asked for and nothing is cached. */
export class CacheMissError extends DescribeError {
  constructor() {
    super('DESCRIBE_CACHE_MISS', "nothing is cached for this request, and cache: 'only-if-cached' forbids a call");
  }
}

setErrorName(CacheMissError, 'CacheMissError');
