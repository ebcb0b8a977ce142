import { finiteNumber, integer, shape } from '../internal/option-checks.ts';
import { childController, raceSignal } from '../internal/signals.ts';
import {
  estimateSpending,
  type PaceLimits,
  type PlannedCall,
  type SpendingEstimate,
} from '../openai/estimate.ts';
import type { ModelCatalog } from '../openai/model-catalog.ts';
import { iteratorOf } from './describe-many.ts';
import type { DescribeInput } from './describe-request.ts';
import type { ImageIntake } from './image-intake.ts';
import { abortSignal, throwInputIssues } from './input-issues.ts';
import { normaliseRequest, type RequestDefaults } from './normalise-request.ts';

export interface EstimateOptions extends PaceLimits {
  /** What answers usually take, in tokens; at most `maxOutputTokens` counts. @defaultValue `maxOutputTokens` of each request */
  readonly expectedOutputTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const checkEstimate = shape({
  requestsPerMinute: finiteNumber({ min: 1 }),
  tokensPerMinute: finiteNumber({ min: 1 }),
  maxConcurrency: integer({ min: 1 }),
  callMs: finiteNumber({ min: 0 }),
  expectedOutputTokens: integer({ min: 0 }),
  signal: abortSignal(),
});

interface EstimateParts {
  readonly intake: ImageIntake;
  readonly settings: RequestDefaults;
  readonly catalog: ModelCatalog;
}

/**
 * Adds up what describing the inputs would take if nothing were cached. Sends nothing: an image of which only the URL
 * is known counts as the largest that its model and detail allow.
 */
export async function estimateCalls(
  inputs: Iterable<DescribeInput> | AsyncIterable<DescribeInput>,
  options: EstimateOptions,
  { intake, settings, catalog }: EstimateParts,
): Promise<SpendingEstimate> {
  throwInputIssues(checkEstimate(options, ''));
  const { expectedOutputTokens, signal, ...limits } = options;
  const planned: PlannedCall[] = [];
  const child = childController(signal);
  try {
    const iterator = iteratorOf(inputs);
    while (true) {
      const { done, value: input } = await raceSignal(Promise.resolve(iterator.next()), child.signal);
      if (done === true) break;
      const { image, model, detail, prompt, maxOutputTokens } = normaliseRequest(input, undefined, settings);
      const taken = await intake.peek(image, child.signal);
      const size = taken.kind === 'bytes' ? { width: taken.width, height: taken.height } : undefined;
      planned.push({ model, detail, prompt, maxOutputTokens, expectedOutputTokens, images: [size] });
    }
  } finally {
    child.detach();
  }
  return estimateSpending(planned, limits, catalog);
}
