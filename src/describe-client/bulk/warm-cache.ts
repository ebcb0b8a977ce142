import { ConfigError } from '../../errors/config-error.ts';
import type { Inputs } from '../../internal/async/map-concurrently.ts';
import { callSafely } from '../../internal/async/user-callback.ts';
import type { Clock } from '../../internal/clock.ts';
import { methodSettings } from '../../internal/options/input-issues.ts';
import { callable, type OptionChecks } from '../../internal/options/option-checks.ts';
import type { DescribeResult, DescriptionSource } from '../call/describe-result.ts';
import type { DescribeInput } from '../options/describe-request.ts';
import { countOf } from './bulk-progress.ts';
import { DESCRIBE_MANY_SPEC, type DescribeManyOptions, describeEach } from './describe-many.ts';

/** One input that has been processed. */
export interface ClientWarmProgress {
  /** Inputs processed so far, this one included. */
  readonly done: number;
  /** The number of inputs, where it is known: of an array, a `Set` or a `Map`. */
  readonly total: number | undefined;
  readonly index: number;
  readonly input: DescribeInput;
  readonly outcome: 'warmed' | 'skipped' | 'failed';
}

export interface ClientWarmOptions extends Pick<DescribeManyOptions, 'concurrency' | 'signal'> {
  /** Called after each input; an error that it throws is ignored. @defaultValue none */
  readonly onProgress?: ((progress: ClientWarmProgress) => void) | undefined;
}

export interface ClientWarmFailure {
  readonly index: number;
  readonly error: unknown;
}

export interface ClientWarmResult {
  /** Inputs that were described and stored. Equal inputs at the same time share one request. */
  readonly warmed: number;
  /** Inputs whose description was cached already and had not expired. */
  readonly skipped: number;
  /** Inputs that could not be described, in the order of their failure. */
  readonly failed: readonly ClientWarmFailure[];
}

export const CLIENT_WARM_SPEC = {
  concurrency: DESCRIBE_MANY_SPEC.concurrency,
  signal: DESCRIBE_MANY_SPEC.signal,
  onProgress: callable(),
} satisfies OptionChecks<ClientWarmOptions>;

const FOUND: readonly DescriptionSource[] = ['memory', 'redis'];

interface WarmContext {
  readonly hasCache: boolean;
  readonly clock: Clock;
  /** Aborts when no more inputs are read. */
  readonly refused: AbortSignal;
}

/**
 * Describes the inputs that are not cached, in bounded memory. Lists failures by index, because an input may be large.
 */
export async function warmCache(
  inputs: Inputs<DescribeInput>,
  describeOne: (input: DescribeInput, signal: AbortSignal) => Promise<DescribeResult>,
  given: ClientWarmOptions,
  { hasCache, clock, refused }: WarmContext,
): Promise<ClientWarmResult> {
  const { concurrency, signal, onProgress } = methodSettings(given, CLIENT_WARM_SPEC);
  if (!hasCache) {
    throw new ConfigError('warm', [{ option: 'cache', expected: 'a cache to fill', got: 'false' }]);
  }
  const total = countOf(inputs);
  const failed: ClientWarmFailure[] = [];
  const counts = { warmed: 0, skipped: 0 };
  let done = 0;
  for await (const item of describeEach(inputs, describeOne, { concurrency, signal }, clock, refused)) {
    const { index, input } = item;
    let outcome: ClientWarmProgress['outcome'] = 'failed';
    if (item.status === 'rejected') failed.push({ index, error: item.reason });
    else {
      outcome = FOUND.includes(item.value.source) ? 'skipped' : 'warmed';
      counts[outcome] += 1;
    }
    done += 1;
    if (onProgress !== undefined) callSafely(onProgress, { done, total, index, input, outcome });
  }
  return { ...counts, failed };
}
