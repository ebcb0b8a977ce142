import { DescribeError } from '../../errors/describe-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { codeTextOf, type ForeignError } from './foreign-error.ts';
import { isUnansweredCall } from './openai-error-shape.ts';

/** What a failure without an answer means: a broken connection, JSON that does not parse, or a mistake in code. */
export function classifyConnectionFailure(foreign: ForeignError, error: unknown): DescribeError {
  if (foreign.name === 'SyntaxError') {
    return new UpstreamError('DESCRIBE_RESPONSE_INVALID', 'the answer is not JSON', {
      retryable: true,
      contentType: 'application/json',
    });
  }
  const own = ownFailureOf(foreign);
  if (own !== undefined) return own;
  const root = rootOf(foreign);
  if (root === undefined && !isUnansweredCall(error)) {
    // Neither the API's nor the network's: a mistake in a request or in code. Another attempt would make it again.
    return new UpstreamError('DESCRIBE_UPSTREAM', `the call could not be made (${nameOf(error)})`);
  }
  const detail = root === undefined ? '' : ` (${root.code})`;
  return new UpstreamError('DESCRIBE_UPSTREAM', `the connection to the API failed${detail}`, {
    retryable: true,
    cause: root === undefined ? undefined : Object.assign(new Error(systemMessageOf(root)), { code: root.code }),
  });
}

/** What our own transport found, such as a refused tunnel or an answer that is too large: the client wraps it. */
function ownFailureOf(foreign: ForeignError): DescribeError | undefined {
  let current: unknown = foreign;
  for (let depth = 0; depth < 5 && typeof current === 'object' && current !== null; depth += 1) {
    if (DescribeError.is(current, 'DESCRIBE_UPSTREAM') || DescribeError.is(current, 'DESCRIBE_RESPONSE_INVALID'))
      return current;
    current = (current as ForeignError).cause;
  }
  return undefined;
}

const nameOf = (error: unknown): string =>
  typeof error === 'object' && error !== null ? (codeTextOf((error as ForeignError).name) ?? 'Object') : typeof error;

/** What the system says names an address and a port; what anybody else says could repeat a header. */
const systemMessageOf = ({ code, message, syscall }: RootCause): string =>
  typeof syscall === 'string' && typeof message === 'string' ? message : code;

interface RootCause {
  readonly code: string;
  readonly message?: unknown;
  readonly syscall?: unknown;
}

/** What undici 7 names an answer that breaks the protocol, without a code. */
const NOT_HTTP = 'HTTPParserError';

/** The first error with a system or undici code down the chain of causes, such as `ECONNRESET`. */
function rootOf(foreign: ForeignError): RootCause | undefined {
  let current: ForeignError | undefined = foreign;
  for (let depth = 0; depth < 5 && current !== undefined; depth += 1) {
    const code = codeTextOf(current.code) ?? (current.name === NOT_HTTP ? NOT_HTTP : undefined);
    if (code !== undefined) return { ...pick(current), code };
    current = typeof current.cause === 'object' && current.cause !== null ? (current.cause as ForeignError) : undefined;
  }
  return undefined;
}

const pick = ({ message, syscall }: ForeignError) => ({ message, syscall });
