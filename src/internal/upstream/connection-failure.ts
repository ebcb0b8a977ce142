import { DescribeError } from '../../errors/describe-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { codeTextOf, type ForeignError } from './failure-facts.ts';
import { isUnansweredCall } from './openai-error-shape.ts';

/** Classifies a failure without an answer: a broken connection, JSON that does not parse, or a mistake in code. */
export function classifyConnectionFailure(foreign: ForeignError, error: unknown): DescribeError {
  if (foreign.name === 'SyntaxError') {
    return new UpstreamError('DESCRIBE_RESPONSE_INVALID', 'the answer is not JSON', {
      retryable: true,
      contentType: 'application/json',
    });
  }
  const causes = causesOf(foreign);
  const own = causes.find(isOwnFailure);
  if (own !== undefined) return own;
  const root = causes.map(rootCauseOf).find((cause) => cause !== undefined);
  if (root === undefined && !isUnansweredCall(error)) {
    // A mistake in a request or in code, neither the API's nor the network's. Another attempt would make it again.
    return new UpstreamError('DESCRIBE_UPSTREAM', `the call could not be made (${nameOf(error)})`);
  }
  const detail = root === undefined ? '' : ` (${root.code})`;
  // The address stays in the cause: services show messages to strangers.
  const advice = root === undefined ? '' : adviceFor(root);
  return new UpstreamError('DESCRIBE_UPSTREAM', `the connection to the API failed${detail}${advice}`, {
    retryable: true,
    cause: root,
  });
}

const MAX_DEPTH = 5;

/** The error and its chain of causes, from the outside in. */
function causesOf(foreign: ForeignError): ForeignError[] {
  const causes: ForeignError[] = [];
  let current: unknown = foreign;
  while (causes.length < MAX_DEPTH && typeof current === 'object' && current !== null) {
    causes.push(current);
    current = (current as ForeignError).cause;
  }
  return causes;
}

/** A failure that our own transport found, such as a refused tunnel or an answer that is too large. */
const isOwnFailure = (cause: unknown): cause is DescribeError =>
  DescribeError.is(cause, 'DESCRIBE_UPSTREAM') || DescribeError.is(cause, 'DESCRIBE_RESPONSE_INVALID');

/** The name that undici 7 gives an answer that breaks the protocol, instead of a code. */
const NOT_HTTP = 'HTTPParserError';

/**
 * A copy of an error with a code of the system or of undici, such as `ECONNRESET`. A message of the system names an
 * address and a port, and is kept. Another message could repeat a header, and is dropped.
 */
function rootCauseOf({ code: given, name, message, syscall }: ForeignError): (Error & { code: string }) | undefined {
  const code = codeTextOf(given) ?? (name === NOT_HTTP ? NOT_HTTP : undefined);
  if (code === undefined) return undefined;
  const isOfSystem = typeof syscall === 'string' && typeof message === 'string';
  return Object.assign(new Error(isOfSystem ? message : code), { code });
}

const nameOf = (error: unknown): string =>
  typeof error === 'object' && error !== null ? (codeTextOf((error as ForeignError).name) ?? 'Object') : typeof error;

/**
 * Codes of failures before there was a connection: of the system (`connect(2)`, `getaddrinfo(3)`), of undici and of
 * TLS. A request is sent only after the TLS handshake.
 */
const NEVER_CONNECTED: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL'],
  'UND_ERR_CONNECT_TIMEOUT',
  ...['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN'],
  ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ERR_TLS_CERT_ALTNAME_INVALID'],
]);

/** Codes of a TLS client that got plain text: OpenSSL reads the first bytes of it as a record of TLS. */
const NO_TLS: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
]);

/** Advice about a failure; empty where nothing is known. */
function adviceFor({ code, message }: { readonly code: string; readonly message: string }): string {
  if (NO_TLS.has(code) || (code === 'EPROTO' && /wrong version number|packet length too long/.test(message)))
    return '. The server speaks no TLS on this port: write `http://` in `baseURL`, or the port of HTTPS.';
  return NEVER_CONNECTED.has(code) ? '. Check `baseURL`, the proxy and the network.' : '';
}

/** Tells whether a classified failure came before a connection was made, so that no byte of the request was sent. */
export const neverConnected = ({ cause }: Error): boolean =>
  typeof cause === 'object' && cause !== null && NEVER_CONNECTED.has((cause as { readonly code?: unknown }).code);
