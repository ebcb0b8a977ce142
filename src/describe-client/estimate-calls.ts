import { childController } from '../internal/signals.ts';
import {
  estimateSpending,
  type PaceLimits,
  type PlannedCall,
  type SpendingEstimate,
} from '../openai/estimate.ts';
import type { ModelCatalog } from '../openai/model-catalog.ts';
import type { DescribeInput } from './describe-request.ts';
import type { ImageIntake } from './image-intake.ts';
import { normaliseRequest, type RequestDefaults } from './normalise-request.ts';

export interface EstimateOptions extends PaceLimits {
  /** What answers usually take, in tokens; at most `maxOutputTokens` counts. @defaultValue `maxOutputTokens` of each request */
  readonly expectedOutputTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

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
  { expectedOutputTokens, signal, ...limits }: EstimateOptions,
  { intake, settings, catalog }: EstimateParts,
): Promise<SpendingEstimate> {
  const planned: PlannedCall[] = [];
  const child = childController(signal);
  try {
    for await (const input of inputs) {
      child.signal.throwIfAborted();
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
