/**
 * What failed:
 * - `outage`: the service or the way to it;
 * - `throttle`: a limit was passed, and waiting helps;
 * - `content`: the API answered in its form, but not with what was asked for;
 * - `quota`: the account is used up;
 * - `auth`: the key is not accepted;
 * - `item`: this image, prompt or call;
 * - `local`: this process refused, or ran out of something of its own.
 */
export type FailureKind = 'outage' | 'throttle' | 'content' | 'quota' | 'auth' | 'item' | 'local';

/**
 * What a failure is about, and so where it would come again:
 * - `item`: this image or request, at every endpoint;
 * - `key`: everything that is sent with this key;
 * - `model`: this model, with this key at this endpoint;
 * - `quota-group`: everything that counts against the same limits or account;
 * - `endpoint`: everything that is sent there now;
 * - `process`: a bound of this process.
 */
export type FailureScope = 'item' | 'key' | 'model' | 'quota-group' | 'endpoint' | 'process';

/** What a failure means to each stage of a call. */
export interface FailureMeaning {
  readonly kind: FailureKind;
  readonly scope: FailureScope;
  /** Whether the client makes another attempt, provided that the error is `retryable`. */
  readonly isRetried: boolean;
  /** Whether it is evidence against the other side; else a breaker takes it for neutral. */
  readonly countsForBreaker: boolean;
  /** Whether the client tries its `fallback`. */
  readonly fallsBack: boolean;
  /** Whether another endpoint is asked, at no cost of a retry: always, where nothing was sent, or never. */
  readonly moves: 'always' | 'unsent' | 'never';
  /** Whose fault it is in a pack: one image's, the size of the pack, or no image's. */
  readonly blames: 'item' | 'size' | 'pack';
  /** Whether a call that had joined the failed one asks for itself, although the failed one is not retried. */
  readonly joinedCallAsks: boolean;
}

type KindMeaning = Omit<FailureMeaning, 'kind' | 'joinedCallAsks'>;

/** What a kind means where the row of a code does not say otherwise. */
export const KIND_MEANINGS: { readonly [Kind in FailureKind]: KindMeaning } = {
  outage: {
    scope: 'endpoint',
    isRetried: true,
    countsForBreaker: true,
    fallsBack: true,
    moves: 'unsent',
    blames: 'pack',
  },
  throttle: {
    scope: 'quota-group',
    isRetried: true,
    countsForBreaker: false,
    fallsBack: true,
    moves: 'unsent',
    blames: 'pack',
  },
  content: {
    scope: 'item',
    isRetried: true,
    countsForBreaker: false,
    fallsBack: true,
    moves: 'never',
    blames: 'pack',
  },
  quota: {
    scope: 'quota-group',
    isRetried: false,
    countsForBreaker: false,
    fallsBack: true,
    moves: 'always',
    blames: 'pack',
  },
  auth: {
    scope: 'key',
    isRetried: false,
    countsForBreaker: false,
    fallsBack: false,
    moves: 'always',
    blames: 'pack',
  },
  item: {
    scope: 'item',
    isRetried: false,
    countsForBreaker: false,
    fallsBack: false,
    moves: 'never',
    blames: 'item',
  },
  local: {
    scope: 'process',
    isRetried: false,
    countsForBreaker: false,
    fallsBack: false,
    moves: 'unsent',
    blames: 'pack',
  },
};
