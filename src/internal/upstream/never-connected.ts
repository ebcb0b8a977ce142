/**
 * Codes of failures before a connection was there: of the system (`connect(2)`, `getaddrinfo(3)`), of undici, and of
 * TLS, where the request waits for the handshake.
 */
const CODES: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Whether a classified failure tells that no byte of the request left, for no connection came about. */
export const neverConnected = ({ cause }: Error): boolean =>
  typeof cause === 'object' && cause !== null && CODES.has((cause as { readonly code?: unknown }).code);
