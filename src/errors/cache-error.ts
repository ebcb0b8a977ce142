import { DescribeError, setErrorName } from './describe-error.ts';

/** The cache failed. Thrown with `strict: true` only, and for a value that cannot be encoded. */
export class CacheError extends DescribeError {
  constructor(message: string, options: { readonly cause?: unknown; readonly retryable?: boolean } = {}) {
    super('DESCRIBE_CACHE', message, options);
  }
}

setErrorName(CacheError, 'CacheError');

/** Nothing is cached for a request with `cache: 'only-if-cached'`. */
export class CacheMissError extends DescribeError {
  constructor() {
    super('DESCRIBE_CACHE_MISS', "nothing is cached for this request, and cache: 'only-if-cached' forbids a call");
  }
}

setErrorName(CacheMissError, 'CacheMissError');
