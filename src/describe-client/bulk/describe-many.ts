import { type Inputs, mapConcurrently } from '../../internal/async/map-concurrently.ts';
import { boolean, integer, type OptionChecks } from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import type { DescribeResult } from '../call/describe-result.ts';
import type { DescribeInput } from '../options/describe-request.ts';
import { abortSignal, methodSettings } from '../options/input-issues.ts';

export interface DescribeManyOptions {
  /** Most images in work, or described and not yet yielded; a whole number from 1 to 10000. @defaultValue 16 */
  readonly concurrency?: number | undefined;
  /** Yields in the order of the inputs rather than of completion. @defaultValue false */
  readonly ordered?: boolean | undefined;
  /** Ends the iteration at once: it throws the signal's reason and aborts the calls in work. @defaultValue none */
  readonly signal?: AbortSignal | undefined;
}

/** One input and its outcome. */
export type DescribeManyItem<Data = unknown, Value = DescribeResult<Data>> =
  | {
      readonly index: number;
      readonly input: DescribeInput<Data>;
      readonly status: 'fulfilled';
      readonly value: Value;
    }
  | {
      readonly index: number;
      readonly input: DescribeInput<Data>;
      readonly status: 'rejected';
      readonly reason: unknown;
    };

export const DESCRIBE_MANY_SPEC = {
  concurrency: withDefault(integer({ min: 1, max: 10_000 }), 16),
  ordered: withDefault(boolean(), false),
  signal: abortSignal(),
} satisfies OptionChecks<DescribeManyOptions>;

/**
 * Describes any number of inputs with bounded concurrency and memory. Once `refused` aborts, it reads no more inputs.
 * It throws that reason when the calls in work have been yielded.
 */
export async function* describeEach<Data>(
  inputs: Inputs<DescribeInput<Data>>,
  describeOne: (input: DescribeInput<Data>, signal: AbortSignal) => Promise<DescribeResult<Data>>,
  given: DescribeManyOptions = {},
  refused?: AbortSignal,
): AsyncGenerator<DescribeManyItem<Data>, void, undefined> {
  const { concurrency, ordered, signal } = methodSettings(given, DESCRIBE_MANY_SPEC);
  yield* mapConcurrently(inputs, describeOne, { concurrency, ordered, signal, refused });
}
