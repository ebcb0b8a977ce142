import { DescribeError } from '../../errors/describe-error.ts';
import { ImageError } from '../../errors/image-error.ts';
import { UpstreamError, type UpstreamErrorCode } from '../../errors/upstream-error.ts';
import { classifyConnectionFailure } from './connection-failure.ts';
import { codeTextOf, type FailureFacts, type ForeignError, failureFactsOf, hasNoBody } from './failure-facts.ts';
import { type WordMeaning, wordMeaningOf } from './failure-words.ts';
import { retryAfterMsOf } from './response-headers.ts';
import type { SentRequest } from './sent-request.ts';
import { serverReason, shortTokenOf } from './server-reason.ts';

/** Code and message of the error for an answer that is not a description. */
interface Verdict {
  readonly code: UpstreamErrorCode;
  readonly message: string;
  readonly retryable?: boolean;
}

/**
 * Turns anything that a call of the API threw into a `DescribeError`. A `DescribeError` is returned as it is. The API's
 * own reason may repeat a part of the key or of the request. It is kept only where `sent` gives the secrets to clean it
 * of.
 */
export function classifyFailure(error: unknown, sent: SentRequest = {}): DescribeError {
  if (DescribeError.is(error)) return error;
  const foreign = (typeof error === 'object' && error !== null ? error : {}) as ForeignError;
  return typeof foreign.status === 'number'
    ? fromAnswer(foreign, failureFactsOf(foreign, foreign.status), sent)
    : classifyConnectionFailure(foreign, error);
}

function fromAnswer(foreign: ForeignError, facts: FailureFacts, sent: SentRequest): DescribeError {
  const { status, headers, contentType } = facts;
  const keys = sent.secrets?.().keys;
  const requestId = shortTokenOf(facts.requestId, keys);
  const upstreamCode = shortTokenOf(facts.code === String(status) ? facts.type : (facts.code ?? facts.type), keys);
  const cause = summaryOf(foreign, facts, upstreamCode, keys);
  const upstreamMessage = reasonOf(foreign, facts, sent);
  const reason = upstreamMessage === undefined ? '' : `: ${upstreamMessage}`;
  const meaning = contentType === undefined ? wordMeaningOf(facts, sent.hasImageUrl) : undefined;
  if (isAboutImage(meaning)) {
    const message = `the API can't use the image (${upstreamCode ?? status})${reason}`;
    return new ImageError(meaning, message, { cause, upstreamMessage, requestId });
  }
  const { code, message, retryable = false } = byWords(meaning) ?? byPage(facts) ?? byStatus(facts);
  const details = [status, upstreamCode, contentType].filter((detail) => detail !== undefined);
  return new UpstreamError(code, `${message} (${details.join(' ')})${reason}`, {
    status,
    upstreamCode,
    upstreamMessage,
    requestId,
    contentType,
    cause,
    retryable,
    retryAfterMs: retryable ? retryAfterMsOf(headers) : undefined,
  });
}

type ImageMeaning = Extract<WordMeaning, `DESCRIBE_${string}`>;

const isAboutImage = (meaning: WordMeaning | undefined): meaning is ImageMeaning =>
  meaning?.startsWith('DESCRIBE_IMAGE_') === true;

/** The API's own reason: in the error of its body, or in the page that the client puts after the status. */
function reasonOf({ message }: ForeignError, facts: FailureFacts, { secrets }: SentRequest): string | undefined {
  // A success that is not JSON may be the description itself, unless it is a page.
  if (facts.pageText !== undefined && facts.status < 300 && !facts.pageText.startsWith('<')) return undefined;
  const raw = facts.contentType === undefined ? facts.message : message;
  if (secrets === undefined || typeof raw !== 'string' || hasNoBody(raw)) return undefined;
  const prefix = `${facts.status} `;
  return serverReason(raw.startsWith(prefix) ? raw.slice(prefix.length) : raw, secrets());
}

const NO_QUOTA: Verdict = { code: 'DESCRIBE_QUOTA_EXHAUSTED', message: 'the account has no quota left' };
const NO_KEY: Verdict = { code: 'DESCRIBE_AUTH', message: 'the API does not accept the key' };
const TOO_LONG: Verdict = { code: 'DESCRIBE_CONTEXT_TOO_LONG', message: "the request exceeds the model's context" };
const REFUSED: Verdict = { code: 'DESCRIBE_REFUSED', message: 'the API refused the image or the prompt' };

function byWords(meaning: Exclude<WordMeaning, ImageMeaning> | undefined): Verdict | undefined {
  return meaning && { refused: REFUSED, quota: NO_QUOTA, auth: NO_KEY, size: TOO_LONG }[meaning];
}

const PATH_HINT = 'does the base URL lack /v1?';

/** A question about the base URL, for the statuses of a wrong one. */
function hintOf(status: number): string {
  if (status === 404 || status === 405) return `; ${PATH_HINT}`;
  return status < 400 ? '; it redirects, and redirects are not followed: is the base URL right?' : '';
}

/** Statuses that mean the same with a page as with JSON. */
const CLEAR_STATUSES: ReadonlySet<number> = new Set([401, 402, 408, 413, 429]);

const JSON_TYPE = /^(?:application|text)\/(?:[\w.-]+\+)?json$/;

/** Judges a page. It comes from a gateway, a firewall or a wrong path, and says nothing about the API behind. */
function byPage({ status, contentType, pageText = '' }: FailureFacts): Verdict | undefined {
  if (contentType === undefined || status >= 500 || CLEAR_STATUSES.has(status)) return undefined;
  if (status < 300 && contentType === 'text/event-stream') {
    const message = 'the stream ended before its answer did';
    return { code: 'DESCRIBE_RESPONSE_INVALID', message, retryable: true };
  }
  if (status < 300) {
    // JSON that ends early, or an empty answer, may have been broken off. A page would come again.
    const isBroken = JSON_TYPE.test(contentType) && /^[[{]/.test(pageText);
    const message = isBroken ? 'the answer is JSON that does not parse' : `the answer is no JSON; ${PATH_HINT}`;
    return { code: 'DESCRIBE_RESPONSE_INVALID', message, retryable: isBroken || pageText === '' };
  }
  const message = `the request was refused with a page that is no JSON${hintOf(status)}`;
  return { code: 'DESCRIBE_UPSTREAM', message };
}

function byStatus(facts: FailureFacts): Verdict {
  const { status } = facts;
  if (status === 429) return byRate(facts);
  if (status === 402) return NO_QUOTA;
  if (status === 401 || status === 403) return NO_KEY;
  if (status === 413) return TOO_LONG;
  if (status === 503) return { code: 'DESCRIBE_OVERLOADED', message: 'the API is overloaded', retryable: true };
  if (status >= 500 || status === 408 || status === 409) {
    return { code: 'DESCRIBE_UPSTREAM', message: 'the API failed', retryable: true };
  }
  if (status < 300) return { code: 'DESCRIBE_UPSTREAM', message: `the API answered with an error; ${PATH_HINT}` };
  const lacksModel = status === 404 && isAboutModel(facts);
  const message = lacksModel ? 'the API does not have the model' : `the API rejected the request${hintOf(status)}`;
  return { code: 'DESCRIBE_UPSTREAM', message };
}

const isAboutModel = ({ code = '', message = '' }: FailureFacts): boolean =>
  /model|deployment/i.test(code) || /\b(?:model|deployment)\b/i.test(message);

/** A request above a whole minute's limit has no code of its own. Waiting does not help it. */
const byRate = ({ message = '' }: FailureFacts): Verdict =>
  /\brequest too large\b/i.test(message)
    ? { code: 'DESCRIBE_RATE_LIMITED', message: "the request is larger than a minute's limit" }
    : { code: 'DESCRIBE_RATE_LIMITED', message: 'the API limits the rate', retryable: true };

/** The parts of the original that cannot repeat a secret: its class, status and codes. */
function summaryOf(
  { name }: ForeignError,
  { status, type, param }: FailureFacts,
  code: string | undefined,
  keys: readonly string[] | undefined,
): Error {
  const summary = new Error([status, code].filter((part) => part !== undefined).join(' '));
  summary.name = codeTextOf(name) ?? 'APIError';
  return Object.assign(summary, {
    status,
    code,
    type: shortTokenOf(type, keys),
    param: shortTokenOf(param, keys),
  });
}
