import { UpstreamError } from '../../errors/upstream-error.ts';
import { ignoreRejection } from '../../internal/async/user-callback.ts';

/**
 * What `schema.parse` makes of an answer; the answer itself without one.
 * @throws what it throws, and a `TypeError` where it returns a promise, for a result holds data. Its rejection is
 * ignored.
 */
export function parsedBy<Data>(parse: ((value: unknown) => Data) | undefined, json: unknown): Data {
  if (parse === undefined) return json as Data;
  const data = parse(json);
  if (ignoreRejection(data)) throw new TypeError('schema.parse must return the data, got a promise');
  return data;
}

/**
 * Names of errors that a mistake in code throws. By name, for a validator may derive its own from these, and each of
 * its errors blames the answer. A `SyntaxError` is none of them: `parse` may read JSON within the answer.
 */
const MISTAKES: ReadonlySet<unknown> = new Set(['TypeError', 'ReferenceError', 'RangeError', 'EvalError']);

/**
 * What `schema.parse` threw, kept as `cause` and nowhere else, for it may repeat the answer. Not retryable where it is
 * a mistake in its code, which every answer would meet.
 */
export function parseFailure(thrown: unknown, requestId?: string): UpstreamError {
  const isMistake = thrown instanceof Error && MISTAKES.has(thrown.name);
  const what = isMistake
    ? `schema.parse failed with a ${thrown.name}; see cause`
    : 'the answer is not of the schema asked for: schema.parse refused it; see cause';
  return new UpstreamError('DESCRIBE_RESPONSE_INVALID', what, {
    cause: thrown,
    status: 200,
    requestId,
    retryable: !isMistake,
  });
}
