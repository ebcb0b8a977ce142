/**
 * The kind of a failure:
 * - `outage`: the service or the way to it;
 * - `throttle`: a limit was passed, and waiting helps;
 * - `content`: the API answered in its form, but without a usable description;
 * - `quota`: the account is used up;
 * - `auth`: the key is not accepted;
 * - `item`: this image, prompt or call;
 * - `local`: this process refused, or ran out of something of its own.
 */
export type FailureKind = 'outage' | 'throttle' | 'content' | 'quota' | 'auth' | 'item' | 'local';

/**
 * The scope of a failure. Everything in it would fail again:
 * - `item`: this image or request, at every endpoint;
 * - `key`: everything that is sent with this key;
 * - `model`: this model, with this key at this endpoint;
 * - `quota-group`: everything that counts against the same limits or account;
 * - `endpoint`: everything that is sent there now;
 * - `process`: a limit of this process.
 */
export type FailureScope = 'item' | 'key' | 'model' | 'quota-group' | 'endpoint' | 'process';

/** The meaning of a failure to each stage of a call. */
export interface FailureMeaning {
  readonly kind: FailureKind;
  readonly scope: FailureScope;
  /** Whether the client makes another attempt, provided that the error is `retryable`. */
  readonly isRetried: boolean;
  /**
   * Whether that attempt has twice the output limit: the answer was too long for it. There is one such attempt.
   */
  readonly raisesLimit: boolean;
  /** Whether it is evidence against the other side; otherwise it is neutral for a breaker. */
  readonly countsForBreaker: boolean;
  /** Whether the client tries its `fallback`. */
  readonly fallsBack: boolean;
  /** When the call moves to another endpoint, without using a retry. `unsent`: where nothing was sent. */
  readonly moves: 'always' | 'unsent' | 'never';
  /** The cause in a pack: one image, the size of the pack, or the pack as a whole and no image. */
  readonly blames: 'item' | 'size' | 'pack';
  /** Whether a joined call makes a request of its own, although the failed call is not retried. */
  readonly joinedCallAsks: boolean;
}

const USUAL: Omit<FailureMeaning, 'kind'> = {
  scope: 'item',
  isRetried: false,
  raisesLimit: false,
  countsForBreaker: false,
  fallsBack: false,
  moves: 'never',
  blames: 'pack',
  joinedCallAsks: false,
};

/** The meaning of each kind. The row of a code may differ in single columns. */
export const KIND_MEANINGS: { readonly [Kind in FailureKind]: Omit<FailureMeaning, 'kind'> } = {
  outage: { ...USUAL, scope: 'endpoint', isRetried: true, countsForBreaker: true, fallsBack: true, moves: 'unsent' },
  throttle: { ...USUAL, scope: 'quota-group', isRetried: true, fallsBack: true, moves: 'unsent' },
  content: { ...USUAL, isRetried: true, fallsBack: true },
  quota: { ...USUAL, scope: 'quota-group', fallsBack: true, moves: 'always' },
  auth: { ...USUAL, scope: 'key', moves: 'always' },
  item: { ...USUAL, blames: 'item' },
  local: { ...USUAL, scope: 'process', moves: 'unsent' },
};
