import { wallClockNow } from '../../internal/clock.ts';
import { jsonPayload, type Payload } from './delivery.ts';
import { lookUpError } from './error-table.ts';
import type { Fault, RetryAfter } from './fault-plan.ts';

/** The answer that an error fault asks for. */
export function errorAnswer({ code, status, retryAfter, headers, body }: Extract<Fault, { kind: 'error' }>): {
  readonly status: number;
  readonly code: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Payload;
} {
  const found = lookUpError(code, status);
  const html = body ?? (code === undefined ? gatewayPage(found.status) : undefined);
  return {
    status: found.status,
    code,
    headers: { ...(retryAfter === undefined ? {} : retryAfterHeaders(retryAfter)), ...headers },
    payload:
      html === undefined
        ? jsonPayload({ error: found.body })
        : { type: 'body', text: html, contentType: 'text/html; charset=utf-8' },
  };
}

/** 502 and 504 come from the gateway before the API, which doesn't speak JSON. */
function gatewayPage(status: number): string | undefined {
  const title = status === 502 ? '502 Bad Gateway' : status === 504 ? '504 Gateway Time-out' : undefined;
  if (title === undefined) return undefined;
  return `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;
}

/** The wait in the given form. HTTP dates: RFC 9110, 10.2.3 and 5.6.7. */
function retryAfterHeaders({ form, ms }: RetryAfter): Record<string, string> {
  const seconds = { 'retry-after': String(Math.ceil(ms / 1000)) };
  const milliseconds = { 'retry-after-ms': String(Math.ceil(ms)) };
  switch (form) {
    case 'seconds':
      return seconds;
    case 'milliseconds':
      return milliseconds;
    case 'both':
      return { ...seconds, ...milliseconds };
    case 'http-date':
      return { 'retry-after': new Date(Math.ceil((wallClockNow() + ms) / 1000) * 1000).toUTCString() };
  }
}
