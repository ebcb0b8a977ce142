import { type Inputs, mapConcurrently } from '../../internal/async/map-concurrently.ts';
import { boolean, integer, shape } from '../../internal/options/option-checks.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import type { DescribeResult } from '../call/describe-result.ts';
import type { DescribeInput } from '../options/describe-request.ts';
import { abortSignal, throwInputIssues } from '../options/input-issues.ts';

export interface DescribeManyOptions {
  /** Most images in work, or described and not yet yielded; a whole number from 1 to 10000. @defaultValue 16 */
  readonly concurrency?: number | undefined;
  /** Yields in the order of the inputs rather than of completion. @defaultValue false */
  readonly ordered?: boolean | undefined;
  /** Ends the iteration at once: it throws the signal's reason and aborts the calls in work. */
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

export const ITERATION_CHECKS = {
  concurrency: integer({ min: 1, max: 10_000 }),
  signal: abortSignal(),
};
const checkOptions = shape({ ...ITERATION_CHECKS, ordered: boolean() });

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
  const options = callOptions(given);
  throwInputIssues(checkOptions(options, ''));
  const { concurrency = 16, ordered, signal } = options;
  yield* mapConcurrently(inputs, describeOne, { concurrency, ordered, signal, refused });
}
