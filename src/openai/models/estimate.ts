import { estimateCall, type PlannedCall } from './call-estimate.ts';
import { roundUsd } from './cost.ts';
import { type ModelCatalog, modelCatalog } from './model-catalog.ts';

export { type CallEstimate, estimateCall, type PlannedCall } from './call-estimate.ts';

/** Bounds of the speed of many calls. */
export interface PaceLimits {
  /** @defaultValue no bound */
  readonly requestsPerMinute?: number | undefined;
  /** Each call counts with its reservation: the larger of its input and its output limit. @defaultValue no bound */
  readonly tokensPerMinute?: number | undefined;
  /** Calls at the same time. @defaultValue 16 */
  readonly maxConcurrency?: number | undefined;
  /** Duration of one call, in milliseconds. @defaultValue 3_000 */
  readonly callMs?: number | undefined;
}

/**
 * Expected tokens, price and time of many calls. A sum with an unknown part is absent, because nothing is guessed or
 * left out.
 */
export interface SpendingEstimate {
  /** Requests. */
  readonly calls: number;
  /** Images of all calls. */
  readonly images: number;
  /** Absent when `unknownModels` names a model. */
  readonly inputTokens?: number;
  readonly outputTokens: number;
  /** US dollars. Absent when `unpricedCalls` is above 0. */
  readonly costUsd?: number;
  /** Calls with an unknown price: their model has none published, or is not in the catalog. */
  readonly unpricedCalls: number;
  /** Models with images that the catalog lacks, the first 10. Add them by the option `models`. */
  readonly unknownModels: readonly string[];
  /**
   * From the first call's start to the last one's end, at the pace of the slowest limit. Two limits that are about
   * equally slow may take a quarter longer, because calls wait for both. Absent when tokens are limited and
   * `unknownModels` names a model.
   */
  readonly durationMs?: number;
}

/** Names of models come from callers, so an estimate of a million inputs lists only the first ones. */
const MAX_UNKNOWN_MODELS = 10;

const MINUTE_MS = 60_000;
const PACE_DEFAULTS = { maxConcurrency: 16, callMs: 3_000 } as const satisfies PaceLimits;

/** Adds up any number of calls in constant memory. */
export class SpendingTally {
  readonly #catalog: ModelCatalog;
  #calls = 0;
  #images = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  #reservedTokens = 0;
  #totalUsd = 0;
  #unpricedCalls = 0;
  readonly #unknownModels = new Set<string>();

  constructor(catalog: ModelCatalog) {
    this.#catalog = catalog;
  }

  add(call: PlannedCall): void {
    const { inputTokens, reservedTokens, outputTokens, costUsd } = estimateCall(call, this.#catalog);
    this.#calls += 1;
    this.#images += call.images.length;
    this.#outputTokens += outputTokens;
    if (inputTokens === undefined || reservedTokens === undefined) {
      if (this.#unknownModels.size < MAX_UNKNOWN_MODELS) this.#unknownModels.add(call.model);
    } else {
      this.#inputTokens += inputTokens;
      this.#reservedTokens += reservedTokens;
    }
    if (costUsd === undefined) this.#unpricedCalls += 1;
    else this.#totalUsd += costUsd;
  }

  /** The sum of all calls, and their duration at these limits. */
  total(limits: PaceLimits): SpendingEstimate {
    const isCounted = this.#unknownModels.size === 0;
    const isPaced = isCounted || limits.tokensPerMinute === undefined;
    return {
      calls: this.#calls,
      images: this.#images,
      ...(isCounted ? { inputTokens: this.#inputTokens } : {}),
      outputTokens: this.#outputTokens,
      ...(this.#unpricedCalls === 0 ? { costUsd: roundUsd(this.#totalUsd) } : {}),
      unpricedCalls: this.#unpricedCalls,
      unknownModels: [...this.#unknownModels],
      ...(isPaced ? { durationMs: this.#calls === 0 ? 0 : this.#durationMs(limits) } : {}),
    };
  }

  /** A limit a minute spaces the starts: the last of n calls starts after n - 1 intervals. */
  #durationMs({ requestsPerMinute, tokensPerMinute, ...limits }: PaceLimits): number {
    const { maxConcurrency = PACE_DEFAULTS.maxConcurrency, callMs = PACE_DEFAULTS.callMs } = limits;
    const share = (this.#calls - 1) / this.#calls;
    const spacedMs = (units: number, perMinute = Number.POSITIVE_INFINITY) =>
      ((units * share) / perMinute) * MINUTE_MS + callMs;
    return Math.ceil(
      Math.max(
        Math.ceil(this.#calls / maxConcurrency) * callMs,
        spacedMs(this.#calls, requestsPerMinute),
        spacedMs(this.#reservedTokens, tokensPerMinute),
      ),
    );
  }
}

/**
 * Adds up the tokens, price and time of calls under limits. Any number of calls takes constant memory. For a model that
 * the catalog lacks, values are unknown: see {@link SpendingEstimate} for what is then absent.
 *
 * @example
 * ```ts
 * import { estimateSpending } from '@describe-it/sdk/openai';
 *
 * const images = [{ width: 1024, height: 768 }];
 * const calls = Array(1_000).fill({ model: 'gpt-4.1-mini', images, prompt: 'Describe.', maxOutputTokens: 300 });
 * const { costUsd, durationMs } = estimateSpending(calls, { requestsPerMinute: 500 });
 * ```
 */
export function estimateSpending(
  plannedCalls: Iterable<PlannedCall>,
  limits: PaceLimits = {},
  catalog: ModelCatalog = modelCatalog,
): SpendingEstimate {
  const tally = new SpendingTally(catalog);
  for (const call of plannedCalls) tally.add(call);
  return tally.total(limits);
}
