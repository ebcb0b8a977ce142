import type { ErrorCode } from './error-code.ts';
import { type FailureKind, type FailureMeaning, KIND_MEANINGS } from './failure-meaning.ts';

/** The fields of an error that decide its row. */
export interface JudgedFailure {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly status?: number;
  readonly contentType?: string;
}

/** Cases of a code with different meanings. The docs name a case by its key. */
const CASES = {
  retryable: ({ retryable }) => retryable,
  'not retryable': ({ retryable }) => !retryable,
  'status 403': ({ status }) => status === 403,
  'without a status: refused here': ({ status }) => status === undefined,
  'no JSON, retryable': ({ contentType, retryable }) => contentType !== undefined && retryable,
  'no JSON': ({ contentType }) => contentType !== undefined,
  'status 404 or 410, JSON': ({ status, contentType }) =>
    (status === 404 || status === 410) && contentType === undefined,
  'a redirect, or status 404, 405 or 410': ({ status = 0 }) =>
    (status >= 300 && status < 400) || status === 404 || status === 405 || status === 410,
  'status 500 or more': ({ status = 0 }) => status >= 500,
  'status 400, or a page with another 4xx': ({ status = 0, contentType }) =>
    status === 400 || (contentType !== undefined && status > 400 && status < 500),
} as const satisfies Readonly<Record<string, (failure: JudgedFailure) => boolean>>;

export type FailureCase = keyof typeof CASES;

interface Row extends Partial<FailureMeaning> {
  readonly kind: FailureKind;
  /** The case of the row; absent in the last row of a code, which fits every case. */
  readonly when?: FailureCase;
  /** The reason, where it is not obvious. */
  readonly why?: string;
}

/** The first row whose case fits counts. */
const ROWS: { readonly [Code in ErrorCode]: readonly Row[] } = {
  DESCRIBE_CONFIG_INVALID: [
    {
      kind: 'local',
      joinedCallAsks: true,
      why: 'No fallback hides a mistake of the set-up, such as no key. A joined call may be of a client that has one.',
    },
  ],
  DESCRIBE_INPUT_INVALID: [{ kind: 'item' }],
  DESCRIBE_CLOSED: [{ kind: 'local', why: 'The owner closed it. That says nothing about the other side.' }],
  DESCRIBE_TIMEOUT: [{ kind: 'outage' }],
  DESCRIBE_IMAGE_FORBIDDEN: [{ kind: 'item' }],
  DESCRIBE_IMAGE_UNREADABLE: [{ kind: 'item' }],
  DESCRIBE_IMAGE_UNSUPPORTED: [{ kind: 'item' }],
  DESCRIBE_IMAGE_TOO_LARGE: [{ kind: 'item' }],
  DESCRIBE_IMAGE_FETCH_FAILED: [
    {
      kind: 'item',
      joinedCallAsks: true,
      why: "The image's host failed, not the API. A joined call may hold a newer signature of the same address.",
    },
  ],
  DESCRIBE_POOL_TIMEOUT: [
    {
      kind: 'local',
      fallsBack: true,
      why: 'The pool of this process was busy and nothing was sent. A retry would only make the queue longer.',
    },
  ],
  DESCRIBE_POOL_CREATE_FAILED: [{ kind: 'outage' }],
  DESCRIBE_LEASE_INVALID: [{ kind: 'local', why: 'A mistake in the code that holds the lease.' }],
  DESCRIBE_QUEUE_FULL: [
    {
      kind: 'local',
      fallsBack: true,
      joinedCallAsks: true,
      why: 'Nothing was sent. A function or an expired entry needs no queue. A joined call may be admitted already.',
    },
  ],
  DESCRIBE_CIRCUIT_OPEN: [
    {
      kind: 'local',
      fallsBack: true,
      why: 'Nothing was sent, and the failures that opened the breaker are counted. A retry would hide the open state.',
    },
  ],
  DESCRIBE_RATE_LIMITED: [
    {
      when: 'without a status: refused here',
      kind: 'throttle',
      isRetried: false,
      why: 'This process knew that the call could not make its deadline.',
    },
    {
      when: 'not retryable',
      kind: 'throttle',
      isRetried: false,
      blames: 'size',
      why: "The request is larger than a whole minute's limit. A part of a pack may pass.",
    },
    { kind: 'throttle' },
  ],
  DESCRIBE_OVERLOADED: [{ kind: 'outage' }],
  DESCRIBE_QUOTA_EXHAUSTED: [{ kind: 'quota' }],
  DESCRIBE_AUTH: [
    { when: 'status 403', kind: 'auth', scope: 'model', why: 'The key may not use this model, or not from here.' },
    { kind: 'auth' },
  ],
  DESCRIBE_REFUSED: [
    { when: 'retryable', kind: 'content', why: 'The answer held no text at all. Another one may.' },
    { kind: 'item' },
  ],
  DESCRIBE_RESPONSE_INVALID: [
    { when: 'no JSON, retryable', kind: 'outage', why: 'JSON that broke off on its way.' },
    {
      when: 'no JSON',
      kind: 'outage',
      moves: 'always',
      why: 'A page with a 2xx comes from a gateway or a wrong base path, and would come again there.',
    },
    { when: 'not retryable', kind: 'content', fallsBack: false, why: 'A mistake in the code of `schema.parse`.' },
    { kind: 'content', why: 'The API answered in its form, so this is no outage, whatever the model wrote.' },
  ],
  DESCRIBE_OUTPUT_TRUNCATED: [
    {
      when: 'retryable',
      kind: 'content',
      raisesLimit: true,
      blames: 'size',
      why: 'The limit left no text, as when a model reasons for long. Twice the limit may leave some.',
    },
    { kind: 'item', blames: 'size', joinedCallAsks: true, why: 'A joined call may have a higher limit.' },
  ],
  DESCRIBE_CONTEXT_TOO_LONG: [{ kind: 'item', blames: 'size' }],
  DESCRIBE_UPSTREAM: [
    {
      when: 'status 404 or 410, JSON',
      kind: 'item',
      scope: 'model',
      moves: 'always',
      blames: 'pack',
      why: 'The endpoint has no such model, or its base URL is wrong. Another endpoint may have it.',
    },
    {
      when: 'a redirect, or status 404, 405 or 410',
      kind: 'item',
      moves: 'always',
      blames: 'pack',
      why: 'The base URL is wrong. Nothing was done, so another endpoint may be asked.',
    },
    { when: 'retryable', kind: 'outage' },
    { when: 'status 500 or more', kind: 'outage' },
    {
      when: 'status 400, or a page with another 4xx',
      kind: 'item',
      why: 'One body was refused, as by a firewall. A pack is halved until the image is found.',
    },
    { kind: 'item', blames: 'pack', why: 'The request, its path or its parameters were refused, whatever the image.' },
  ],
  DESCRIBE_BATCH_HANDLER: [
    { when: 'retryable', kind: 'outage', why: 'A call of the handler failed; `cause` says how.' },
    { kind: 'local', why: 'The handler broke its contract: a mistake in code.' },
  ],
  DESCRIBE_CACHE: [
    {
      when: 'retryable',
      kind: 'outage',
      fallsBack: false,
      moves: 'never',
      why: 'Redis failed. Only `strict: true` shows it, so nothing replaces it.',
    },
    { kind: 'local', moves: 'never', why: 'The value cannot be encoded: a mistake in code.' },
  ],
  DESCRIBE_CACHE_MISS: [{ kind: 'item' }],
};

/** A row of the table with every column filled in. */
export interface FailureRow extends FailureMeaning {
  readonly code: ErrorCode;
  readonly when?: FailureCase;
  readonly why?: string;
}

/**
 * The one place that gives the meaning of a failure. Every stage reads it by `failureMeaning`; `docs/errors.md` prints
 * it. Rows of one code are in the order in which they are tried.
 */
export const FAILURE_TABLE: readonly FailureRow[] = (Object.keys(ROWS) as ErrorCode[]).flatMap((code) =>
  ROWS[code].map((row) => Object.freeze({ ...KIND_MEANINGS[row.kind], ...row, code })),
);

const ROWS_BY_CODE = new Map<string, readonly FailureRow[]>(
  (Object.keys(ROWS) as ErrorCode[]).map((code) => [code, FAILURE_TABLE.filter((row) => row.code === code)]),
);

/** For the codes of a newer copy of this package. */
const UNKNOWN: FailureMeaning = Object.freeze({ kind: 'local', ...KIND_MEANINGS.local });

/** Gives the meaning of a failure to each stage. */
export function failureMeaning(failure: JudgedFailure): FailureMeaning {
  const rows = ROWS_BY_CODE.get(failure.code);
  return rows?.find(({ when }) => when === undefined || CASES[when](failure)) ?? UNKNOWN;
}
