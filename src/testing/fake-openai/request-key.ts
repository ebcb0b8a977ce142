import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from './api-error.ts';
import { ERROR_TABLE } from './error-table.ts';

/** The key that a request carries: a bearer token, or Azure's `api-key`. */
export function readKey(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer\s+(.+)$/i.exec(headers.authorization ?? '')?.[1];
  const azure = headers['api-key'];
  return bearer ?? (typeof azure === 'string' ? azure : undefined);
}

/** Throws the API's 401 unless the key is one of the server's. */
export function checkKey(key: string | undefined, apiKeys: ReadonlySet<string>): string {
  if (key !== undefined && apiKeys.has(key)) return key;
  const { status, type, message } = ERROR_TABLE.invalid_api_key;
  if (key !== undefined) throw new ApiError(status, { message, type, param: null, code: 'invalid_api_key' });
  throw new ApiError(status, {
    message:
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    type,
    param: null,
    code: null,
  });
}
