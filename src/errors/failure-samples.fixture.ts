import { DescribeError } from './describe-error.ts';
import { FAILURE_TABLE, type FailureCase, type FailureRow } from './failure-table.ts';

/** Fields of an error of each case. */
const FIELDS: { readonly [Case in FailureCase]: Readonly<Record<string, unknown>> } = {
  retryable: { retryable: true },
  'not retryable': { retryable: false, status: 429 },
  'status 403': { status: 403 },
  'without a status: refused here': { retryable: true },
  'no JSON, retryable': { retryable: true, status: 200, contentType: 'application/json' },
  'no JSON': { status: 200, contentType: 'text/html' },
  'status 404 or 410, JSON': { status: 404 },
  'a redirect, or status 404, 405 or 410': { status: 404, contentType: 'text/html' },
  'status 500 or more': { status: 501 },
  'status 400, or a page with another 4xx': { status: 400 },
};

/** Codes that are retryable in every case. */
const RETRYABLE = /TIMEOUT|CREATE_FAILED|QUEUE_FULL|CIRCUIT_OPEN|RATE_LIMITED|OVERLOADED|RESPONSE_INVALID/;

export interface FailureSample {
  /** Names the row, for a test's title. */
  readonly name: string;
  readonly row: FailureRow;
  readonly makeError: () => DescribeError;
}

/** An error for every row of the table of failures. */
export const FAILURE_SAMPLES: readonly FailureSample[] = FAILURE_TABLE.map((row) => {
  const { code, when } = row;
  const { retryable = when === undefined && RETRYABLE.test(code), ...fields } =
    when === undefined && code === 'DESCRIBE_RATE_LIMITED'
      ? { status: 429, retryable: true }
      : when
        ? FIELDS[when]
        : {};
  const makeError = () =>
    Object.assign(new DescribeError(code, `a ${code}`, { retryable: retryable === true }), fields);
  return { name: when === undefined ? code : `${code} (${when})`, row, makeError };
});
