import { costUsd } from './cost.ts';
import { estimateImageTokens, type ImageSize, mostImageTokens } from './image-tokens.ts';
import { type ModelCatalog, modelCatalog } from './model-catalog.ts';
import type { ImageDetail } from './model-entry.ts';
import { estimateTextTokens, framingTokens } from './text-tokens.ts';

/** A call that may be made. */
export interface PlannedCall {
  readonly model: string;
  /** Sizes of its images; `undefined` for one whose size is not known, which counts as the largest. */
  readonly images: readonly (ImageSize | undefined)[];
  readonly detail?: ImageDetail | undefined;
  readonly prompt: string;
  /** Bound of the answer, in tokens. */
  readonly maxOutputTokens: number;
  /** What answers usually take, in tokens. @defaultValue maxOutputTokens */
  readonly expectedOutputTokens?: number | undefined;
}

/** What one call is expected to take. */
export interface CallEstimate {
  readonly imageTokens: number;
  /** Images, prompt and what frames a message. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** What a rate limit counts before the answer is known: the input and the bound of the output. */
  readonly reservedTokens: number;
  /** Absent for a model without a known price. */
  readonly costUsd?: number;
}

/** Estimates one call, before anything is sent. */
export function estimateCall(call: PlannedCall, catalog: ModelCatalog = modelCatalog): CallEstimate {
  const { model, images, detail, prompt, maxOutputTokens, expectedOutputTokens = maxOutputTokens } = call;
  let imageTokens = 0;
  for (const size of images) {
    imageTokens +=
      size === undefined
        ? mostImageTokens({ model, detail, catalog })
        : estimateImageTokens({ model, detail, catalog, width: size.width, height: size.height });
  }
  const inputTokens = imageTokens + estimateTextTokens(prompt) + framingTokens(1);
  const outputTokens = Math.min(expectedOutputTokens, maxOutputTokens);
  const cost = costUsd(model, { inputTokens, outputTokens }, { catalog });
  return {
    imageTokens,
    inputTokens,
    outputTokens,
    reservedTokens: inputTokens + maxOutputTokens,
    ...(cost === undefined ? {} : { costUsd: cost }),
  };
}

/** What bounds the speed of many calls. */
export interface PaceLimits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  /** Calls at the same time. @defaultValue 16 */
  readonly maxConcurrency?: number | undefined;
  /** What one call takes, in milliseconds. @defaultValue 3_000 */
  readonly callMs?: number | undefined;
}

/** What many calls are expected to take. */
export interface SpendingEstimate {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Sum over the calls with a known price. */
  readonly costUsd: number;
  /** Calls that `costUsd` leaves out, for their model has no known price. */
  readonly unpricedCalls: number;
  /** The longest of what each limit needs. */
  readonly durationMs: number;
}

const MINUTE_MS = 60_000;
const PACE_DEFAULTS = { maxConcurrency: 16, callMs: 3_000 } as const;

/**
 * Adds up calls: tokens, price, and the time that the given limits need. Takes any number of calls in constant memory.
 *
 * @example
 * ```ts
 * import { estimateSpending } from '@describe-it/sdk';
 *
 * const call = { model: 'gpt-4.1-mini', images: [{ width: 1024, height: 768 }], prompt: 'Describe.', maxOutputTokens: 300 };
 * const { costUsd, durationMs } = estimateSpending(Array.from({ length: 1_000 }, () => call), { requestsPerMinute: 500 });
 * ```
 */
export function estimateSpending(
  plannedCalls: Iterable<PlannedCall>,
  limits: PaceLimits = {},
  catalog: ModelCatalog = modelCatalog,
): SpendingEstimate {
  let calls = 0;
  let inputTokens = 0;
  let outputTokens = 0;
  let reservedTokens = 0;
  let cost = 0;
  let unpricedCalls = 0;
  for (const call of plannedCalls) {
    const estimate = estimateCall(call, catalog);
    calls += 1;
    inputTokens += estimate.inputTokens;
    outputTokens += estimate.outputTokens;
    reservedTokens += estimate.reservedTokens;
    cost += estimate.costUsd ?? 0;
    if (estimate.costUsd === undefined) unpricedCalls += 1;
  }
  const durationMs = durationOf(calls, reservedTokens, limits);
  return { calls, inputTokens, outputTokens, costUsd: cost, unpricedCalls, durationMs };
}

function durationOf(calls: number, tokens: number, limits: PaceLimits): number {
  const { maxConcurrency = PACE_DEFAULTS.maxConcurrency, callMs = PACE_DEFAULTS.callMs } = limits;
  const { requestsPerMinute = Number.POSITIVE_INFINITY, tokensPerMinute = Number.POSITIVE_INFINITY } = limits;
  return Math.ceil(
    Math.max(
      Math.ceil(calls / maxConcurrency) * callMs,
      (calls / requestsPerMinute) * MINUTE_MS,
      (tokens / tokensPerMinute) * MINUTE_MS,
    ),
  );
}
