import { type Inputs, mapConcurrently } from '../../internal/async/map-concurrently.ts';
import { callSafely } from '../../internal/async/user-callback.ts';
import type { Clock } from '../../internal/clock.ts';
import { abortSignal, throwInputIssues } from '../../internal/options/input-issues.ts';
import { boolean, callable, integer, type OptionChecks, shape } from '../../internal/options/option-checks.ts';
import { defaultsOf, withDefault } from '../../internal/options/option-spec.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import type { DescribeResult } from '../call/describe-result.ts';
import type { DescribeInput, DescribeOptions, StructuredOptions } from '../options/describe-request.ts';
import { requestNameOf } from '../options/request-names.ts';
import { DESCRIBE_SPEC } from '../options/request-spec.ts';
import { BulkProgress, type DescribeManyProgress } from './bulk-progress.ts';

/**
 * The pace of `describeMany`, and any field of a request but its image. Such a field is for all inputs, and wins over
 * that of an input. An input keeps its own `signal`, beside the one of the iteration.
 */
export interface DescribeManyOptions<Data = unknown> extends Omit<DescribeOptions<Data>, 'signal'> {
  /** Most images in work, or described and not yet yielded; a whole number from 1 to 10000. @defaultValue 16 */
  readonly concurrency?: number | undefined;
  /** Yields in the order of the inputs rather than of completion. @defaultValue false */
  readonly ordered?: boolean | undefined;
  /** Ends the iteration at once: it throws the signal's reason and aborts the calls in work. @defaultValue none */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called when an input was described or has failed, before it is yielded. An error that it throws, or with which it
   * rejects, is ignored. Not called any more once the iteration has ended.
   * @defaultValue none
   */
  readonly onProgress?: ((progress: DescribeManyProgress) => unknown) | undefined;
}

/** Options of `describeMany` that ask for structured data of every image. */
export type StructuredManyOptions<Data = unknown> = DescribeManyOptions<Data> & Pick<StructuredOptions<Data>, 'schema'>;

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

/** The inputs of `describeMany` with their outcomes, as they come. */
export type DescribeManyItems<Data = unknown, Value = DescribeResult<Data>> = AsyncGenerator<
  DescribeManyItem<Data, Value>,
  void,
  undefined
>;

type PaceOptions = Pick<DescribeManyOptions, 'concurrency' | 'ordered' | 'signal' | 'onProgress'>;

export const DESCRIBE_MANY_SPEC = {
  concurrency: withDefault(integer({ min: 1, max: 10_000 }), 16),
  ordered: withDefault(boolean(), false),
  signal: abortSignal(),
  onProgress: callable(),
} satisfies OptionChecks<PaceOptions>;

const checkOptionsShape = shape({ ...DESCRIBE_SPEC, ...DESCRIBE_MANY_SPEC }, requestNameOf);
const DEFAULTS = defaultsOf(DESCRIBE_MANY_SPEC);
const FIELDS = (Object.keys(DESCRIBE_SPEC) as (keyof DescribeOptions)[]).filter((name) => name !== 'signal');

/** Fields of a request that were given for all inputs; undefined where there are none. */
function fieldsOf<Data>(options: DescribeManyOptions<Data>): DescribeOptions<Data> | undefined {
  const given = FIELDS.filter((name) => options[name as keyof DescribeManyOptions] !== undefined);
  if (given.length === 0) return undefined;
  return Object.fromEntries(given.map((name) => [name, options[name as keyof DescribeManyOptions]]));
}

/** Describes one input, with the fields that are for all inputs. */
type DescribeOne<Data> = (
  input: DescribeInput<Data>,
  signal: AbortSignal,
  fields: DescribeOptions<Data> | undefined,
) => Promise<DescribeResult<Data>>;

/**
 * Describes any number of inputs with bounded concurrency and memory. Once `refused` aborts, it reads no more inputs.
 * It throws that reason when the calls in work have been yielded.
 */
export async function* describeEach<Data>(
  inputs: Inputs<DescribeInput<Data>>,
  describeOne: DescribeOne<Data>,
  given: DescribeManyOptions<Data>,
  clock: Clock,
  refused?: AbortSignal,
): DescribeManyItems<Data> {
  const options = callOptions(given);
  throwInputIssues(checkOptionsShape(options, ''));
  const { concurrency = DEFAULTS.concurrency, ordered = DEFAULTS.ordered, signal, onProgress } = options;
  const fields = fieldsOf(options);
  const work = (input: DescribeInput<Data>, ownerSignal: AbortSignal) => describeOne(input, ownerSignal, fields);
  const pace = { concurrency, ordered, signal, refused };
  const progress = onProgress && new BulkProgress(inputs, clock, (now) => callSafely(onProgress, now));
  yield* mapConcurrently(inputs, progress === undefined ? work : progress.following(work), pace);
}
