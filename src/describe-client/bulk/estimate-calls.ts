import { type Inputs, mapConcurrently } from '../../internal/async/map-concurrently.ts';
import { finiteNumber, integer, shape } from '../../internal/options/option-checks.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import {
  type PaceLimits,
  type PlannedCall,
  type SpendingEstimate,
  SpendingTally,
} from '../../openai/models/estimate.ts';
import type { ModelCatalog } from '../../openai/models/model-catalog.ts';
import type { ImageIntake } from '../call/image-intake.ts';
import { normaliseRequest } from '../call/normalise-request.ts';
import type { ClientSettings } from '../options/client-settings.ts';
import type { DescribeInput } from '../options/describe-request.ts';
import type { EndpointDescription } from '../options/endpoint-options.ts';
import { abortSignal, throwInputIssues } from '../options/input-issues.ts';
import { PlannedPacks } from '../packing/planned-packs.ts';
import { paceOf, packPlanOf } from './pace-defaults.ts';

/** The client's limits replace those that are absent. */
export interface EstimateOptions extends PaceLimits {
  /** Tokens that answers usually take, at most `maxOutputTokens`. @defaultValue `maxOutputTokens` of each request */
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
  readonly settings: ClientSettings;
  readonly catalog: ModelCatalog;
}

/**
 * Adds up the cost of describing the inputs if nothing were cached. Sends nothing: an image known only by its URL
 * counts as the largest that its model and detail allow. A model that all endpoints use in place of the request's
 * counts, where the catalog has it. With `batch` options, images go into full packs in their order. With `'auto'`, each
 * goes alone, because it packs only under pressure.
 */
export async function estimateCalls(
  inputs: Inputs<DescribeInput>,
  given: EstimateOptions,
  { intake, settings, catalog }: EstimateParts,
): Promise<SpendingEstimate> {
  const options = callOptions(given);
  throwInputIssues(checkEstimate(options, ''));
  const { expectedOutputTokens, signal, ...limits } = options;
  const packs = new PlannedPacks(packPlanOf(settings), catalog, expectedOutputTokens);
  const tally = new SpendingTally(catalog);
  const model = askedModel(settings.endpoints, catalog);
  const add = (call: PlannedCall) => tally.add(model === undefined ? call : { ...call, model });
  const load = async (input: DescribeInput, loadSignal: AbortSignal) => {
    const request = normaliseRequest(input, undefined, settings);
    return { request, image: await intake.peek(request.image, loadSignal) };
  };
  for await (const item of mapConcurrently(inputs, load, { concurrency: 1, signal })) {
    if (item.status === 'rejected') throw item.reason;
    for (const call of packs.add(item.value.image, item.value.request)) add(call);
  }
  for (const call of packs.rest()) add(call);
  return tally.total(paceOf(settings, callOptions(limits)));
}

/**
 * The model that all endpoints use in place of a request's. Undefined where the catalog lacks it, as the name of a
 * deployment. Undefined too where endpoints differ, because it is unknown which one will answer.
 */
function askedModel([first, ...others]: readonly EndpointDescription[], catalog: ModelCatalog): string | undefined {
  const model = first?.model;
  if (model === undefined || others.some((other) => other.model !== model)) return undefined;
  return catalog.find(model) && model;
}
