import { DescribeError } from '../../errors/describe-error.ts';
import { ImageError } from '../../errors/image-error.ts';
import { UpstreamError, type UpstreamErrorCode, type UpstreamErrorOptions } from '../../errors/upstream-error.ts';
import { classifyConnectionFailure } from './classify-connection-failure.ts';
import { codeTextOf, type ForeignError, isJsonType, type ToldFailure, toldFailureOf } from './foreign-error.ts';
import { retryAfterMsOf } from './retry-after.ts';
import { serverReason } from './server-reason.ts';
import { shortTokenOf } from './short-token.ts';
import { type SentRequest, type WordMeaning, wordMeaningOf } from './upstream-words.ts';

/** What becomes of an answer that is no description. */
interface Verdict {
  readonly code: UpstreamErrorCode;
  readonly what: string;
  readonly retryable?: boolean;
}

/**
 * Turns whatever a call of the API threw into a `DescribeError`; one that already is stays as it is. The API's own
 * reason may repeat a part of the key or of the request: it is kept only where `sent` tells what to clean it of.
 */
export function classifyFailure(error: unknown, sent: SentRequest = {}): DescribeError {
  if (DescribeError.is(error)) return error;
  const foreign = (typeof error === 'object' && error !== null ? error : {}) as ForeignError;
  return typeof foreign.status === 'number'
    ? fromAnswer(foreign, toldFailureOf(foreign, foreign.status), sent)
    : classifyConnectionFailure(foreign, error);
}

function fromAnswer(foreign: ForeignError, told: ToldFailure, sent: SentRequest): DescribeError {
  const { status, headers, contentType } = told;
  const keys = sent.secrets?.().keys;
  const requestId = shortTokenOf(told.requestId, keys);
  const upstreamCode = shortTokenOf(told.code === String(status) ? told.type : (told.code ?? told.type), keys);
  const cause = summaryOf(foreign, told, upstreamCode, keys);
  const upstreamMessage = reasonOf(foreign, told, sent);
  const meaning = contentType === undefined ? wordMeaningOf(told, sent) : undefined;
  if (meaning?.startsWith('DESCRIBE_IMAGE_')) {
    const code = meaning as Extract<WordMeaning, `DESCRIBE_${string}`>;
    const said = withReason(`the API can't use the image (${upstreamCode ?? status})`, upstreamMessage);
    return new ImageError(code, said, { cause, upstreamMessage, requestId });
  }
  const { code, what, retryable = false } = byWords(meaning) ?? byPage(told) ?? byStatus(told);
  const options: UpstreamErrorOptions = {
    status,
    upstreamCode,
    upstreamMessage,
    requestId,
    contentType,
    cause,
    retryable,
    retryAfterMs: retryable ? retryAfterMsOf(headers) : undefined,
  };
  const details = [status, upstreamCode, contentType].filter((detail) => detail !== undefined);
  return new UpstreamError(code, withReason(`${what} (${details.join(' ')})`, upstreamMessage), options);
}

/** What the API says itself: in the error of its body, or in the page that the client puts after the status. */
function reasonOf({ message }: ForeignError, told: ToldFailure, { secrets }: SentRequest): string | undefined {
  // What a success holds that is no JSON may be the description itself, but where it is a page.
  if (told.pageText !== undefined && told.status < 300 && !told.pageText.startsWith('<')) return undefined;
  const raw = told.contentType === undefined ? told.message : message;
  if (secrets === undefined || typeof raw !== 'string' || NO_REASON.test(raw.slice(-20))) return undefined;
  const prefix = `${told.status} `;
  return serverReason(raw.startsWith(prefix) ? raw.slice(prefix.length) : raw, secrets());
}

/** What the client says where the answer had no body. */
const NO_REASON = /\(no body\)$/;

const withReason = (what: string, reason: string | undefined): string =>
  reason === undefined ? what : `${what}: ${reason}`;

function byWords(meaning: WordMeaning | undefined): Verdict | undefined {
  switch (meaning) {
    case 'refused':
      return { code: 'DESCRIBE_REFUSED', what: 'the API refused the image or the prompt' };
    case 'quota':
      return NO_QUOTA;
    case 'auth':
      return NO_KEY;
    case 'size':
      return { code: 'DESCRIBE_CONTEXT_TOO_LONG', what: "the request exceeds the model's context" };
    default:
      return undefined;
  }
}

const NO_QUOTA: Verdict = { code: 'DESCRIBE_QUOTA_EXHAUSTED', what: 'the account has no quota left' };
const NO_KEY: Verdict = { code: 'DESCRIBE_AUTH', what: 'the API does not accept the key' };

const PATH_HINT = 'does the base URL lack /v1?';

/** What a status of a wrong address asks. */
function hintOf(status: number): string {
  if (status === 404 || status === 405) return `; ${PATH_HINT}`;
  return status < 400 ? '; it redirects, and redirects are not followed: is the base URL right?' : '';
}

/** Statuses that mean the same with a page as with JSON. */
const STATED: ReadonlySet<number> = new Set([401, 402, 408, 413, 429]);

/** A page comes from a gateway, a firewall or a wrong path: nothing is known of the API behind. */
function byPage({ status, contentType, pageText = '' }: ToldFailure): Verdict | undefined {
  if (contentType === undefined || status >= 500 || STATED.has(status)) return undefined;
  if (status < 300) {
    // What begins as JSON, and nothing at all, may have broken off. A page would come again.
    const isBroken = isJsonType(contentType) && /^[[{]/.test(pageText);
    const what = isBroken ? 'the answer is JSON that does not parse' : `the answer is no JSON; ${PATH_HINT}`;
    return { code: 'DESCRIBE_RESPONSE_INVALID', what, retryable: isBroken || pageText === '' };
  }
  return {
    code: 'DESCRIBE_UPSTREAM',
    what: `the request was refused with a page that is no JSON${hintOf(status)}`,
  };
}

function byStatus(told: ToldFailure): Verdict {
  const { status } = told;
  if (status === 429) return byRate(told);
  if (status === 402) return NO_QUOTA;
  if (status === 401 || status === 403) return NO_KEY;
  if (status === 503) return { code: 'DESCRIBE_OVERLOADED', what: 'the API is overloaded', retryable: true };
  if (status >= 500 || status === 408 || status === 409) {
    return { code: 'DESCRIBE_UPSTREAM', what: 'the API failed', retryable: true };
  }
  if (status === 413) return { code: 'DESCRIBE_CONTEXT_TOO_LONG', what: "the request exceeds the model's context" };
  if (status < 300) return { code: 'DESCRIBE_UPSTREAM', what: `the API answered with an error; ${PATH_HINT}` };
  if (status === 404 && isAboutModel(told)) {
    return { code: 'DESCRIBE_UPSTREAM', what: 'the API does not have the model' };
  }
  return { code: 'DESCRIBE_UPSTREAM', what: `the API rejected the request${hintOf(status)}` };
}

const isAboutModel = ({ code = '', message = '' }: ToldFailure): boolean =>
  /model|deployment/i.test(code) || /\b(?:model|deployment)\b/i.test(message);

/**
 * One request that takes more than its limit allows in a whole minute has no code of its own; waiting never helps it.
 */
const byRate = ({ message = '' }: ToldFailure): Verdict =>
  /\brequest too large\b/i.test(message)
    ? { code: 'DESCRIBE_RATE_LIMITED', what: "the request is larger than a minute's limit" }
    : { code: 'DESCRIBE_RATE_LIMITED', what: 'the API limits the rate', retryable: true };

/** What may be kept of the original: its class, status and codes, and nothing that could repeat a secret. */
function summaryOf(
  { name }: ForeignError,
  { status, type, param }: ToldFailure,
  upstreamCode: string | undefined,
  keys: readonly string[] | undefined,
): Error {
  const summary = new Error([status, upstreamCode].filter((part) => part !== undefined).join(' '));
  summary.name = codeTextOf(name) ?? 'APIError';
  return Object.assign(summary, {
    status,
    code: upstreamCode,
    type: shortTokenOf(type, keys),
    param: shortTokenOf(param, keys),
  });
}
