import { describe, expectTypeOf, it } from 'vitest';
import {
  type CircuitOpenError,
  type ConfigIssue,
  DescribeError,
  ERROR_CODES,
  type ErrorCode,
  type ImageError,
  type UpstreamError,
} from './index.ts';

declare const error: unknown;

describe('DescribeError.is', () => {
  it('narrows to the base without a code', () => {
    if (DescribeError.is(error)) expectTypeOf(error).toEqualTypeOf<DescribeError>();
  });

  it('narrows to the class of the code', () => {
    if (DescribeError.is(error, 'DESCRIBE_CIRCUIT_OPEN')) {
      expectTypeOf(error).toExtend<CircuitOpenError>();
      expectTypeOf(error.retryAfterMs).toEqualTypeOf<number | undefined>();
      expectTypeOf(error.code).toEqualTypeOf<'DESCRIBE_CIRCUIT_OPEN'>();
    }
    if (DescribeError.is(error, 'DESCRIBE_RATE_LIMITED')) {
      expectTypeOf(error).toExtend<UpstreamError>();
      expectTypeOf(error.upstreamMessage).toEqualTypeOf<string | undefined>();
    }
    if (DescribeError.is(error, 'DESCRIBE_IMAGE_TOO_LARGE')) expectTypeOf(error).toExtend<ImageError>();
    if (DescribeError.is(error, 'DESCRIBE_CONFIG_INVALID')) {
      expectTypeOf(error.issues).toEqualTypeOf<readonly ConfigIssue[]>();
    }
    if (DescribeError.is(error, 'DESCRIBE_INPUT_INVALID')) expectTypeOf(error.field).toBeString();
  });

  it('narrows by every code, and by one that is not known before', () => {
    const code: ErrorCode = ERROR_CODES[0];
    if (DescribeError.is(error, code as ErrorCode)) expectTypeOf(error).toExtend<DescribeError>();
  });

  it('narrows further what is narrowed already', () => {
    if (!DescribeError.is(error)) return;
    if (DescribeError.is(error, 'DESCRIBE_TIMEOUT')) expectTypeOf(error.timeoutMs).toBeNumber();
    else expectTypeOf(error).toEqualTypeOf<DescribeError>();
    // @ts-expect-error no error has this code
    DescribeError.is(error, 'DESCRIBE_NOTHING');
  });
});
