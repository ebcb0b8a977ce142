import type { DescribeError } from '../../errors/describe-error.ts';
import {
  callable,
  describeKind,
  nonEmptyText,
  type OptionCheck,
  oneOf,
  required,
  shape,
  whichever,
} from '../../internal/options/option-checks.ts';
import type { DescribeSchema } from '../schema/schema-source.ts';
import type { ImageDetail } from './describe-request.ts';

/** A request that failed, with everything filled in, for a fallback function. */
export interface FallbackRequest {
  /** Where the image is; absent where its bytes are known. */
  readonly imageUrl?: string;
  /** The bytes of the image, also where a file, a `Blob` or a stream was given. Leave them unchanged. */
  readonly image?: Uint8Array;
  readonly prompt: string;
  readonly model: string;
  readonly detail: ImageDetail;
  readonly maxOutputTokens: number;
  readonly schema?: DescribeSchema;
  readonly metadata?: unknown;
  /** Aborts when the time for this fallback is over, or the call has ended. A later answer is ignored. */
  readonly signal: AbortSignal;
}

/** The answer of a fallback function in place of a description. */
export interface FallbackAnswer {
  /** The text; with a `schema`, its JSON text. */
  readonly description: string;
  /** Its author, for the result's `model`. @defaultValue 'fallback' */
  readonly model?: string | undefined;
}

/** Your own fallback. When it throws, or gives an empty text or one that breaks the schema, the next step is tried. */
export type FallbackFunction = (
  request: FallbackRequest,
  error: DescribeError,
) => string | FallbackAnswer | PromiseLike<string | FallbackAnswer>;

/** A fallback: another model, the expired cache entry, or your own function. */
export type FallbackStep = { readonly model: string } | 'stale' | FallbackFunction;

/**
 * Seconds for which the client's cache keeps expired entries for the step `'stale'`, unless its options say otherwise.
 */
export const STALE_GRACE_SECONDS = 86_400;

export const isModelStep = (step: FallbackStep): step is { readonly model: string } => typeof step === 'object';

const checkStep = required(
  whichever(
    [
      [(value) => typeof value === 'function', callable()],
      [(value) => typeof value === 'string', oneOf('stale')],
    ],
    shape({ model: required(nonEmptyText()) }),
  ),
  "{ model }, 'stale' or a function",
);

/** Checks the option `fallback`. */
export const fallbackCheck: OptionCheck = (value, option) => {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length === 0 || value.length > 10) {
    return [{ option, expected: 'an array of 1 to 10 fallbacks', got: describeKind(value) }];
  }
  return value.flatMap((step, index) => checkStep(step, `${option}[${index}]`));
};
