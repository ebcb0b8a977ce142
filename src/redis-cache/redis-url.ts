import { isUrlOf } from '../internal/is-url-of.ts';
import { describeValue, type OptionCheck } from '../internal/option-checks.ts';

/** Accepts a `redis://` or `rediss://` URL, and never shows it: it may hold a password. */
export const redisUrl = (): OptionCheck => (value, option) => {
  const isRight = value === undefined || (typeof value === 'string' && isUrlOf(value, ['redis:', 'rediss:']));
  return isRight
    ? []
    : [
        {
          option,
          expected: 'a redis or rediss URL, with special characters percent-encoded',
          got: typeof value === 'string' ? 'a string (not shown)' : describeValue(value),
        },
      ];
};
