import { type Inputs, mapConcurrently } from '../../internal/async/map-concurrently.ts';
import { abortSignal, methodSettings } from '../../internal/options/input-issues.ts';
import { finiteNumber, integer, type OptionChecks } from '../../internal/options/option-checks.ts';
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
import { PlannedPacks } from '../packing/planned-packs.ts';
import { paceOf, packPlanOf } from './pace-defaults.ts';

export interface EstimateOptions extends PaceLimits {
  /** Requests a minute, at least 1. @defaultValue the client's limit */
  readonly requestsPerMinute?: number | undefined;
  /** Tokens a minute that calls may reserve, at least 1. @defaultValue the client's limit */
  readonly tokensPerMinute?: number | undefined;
  /** Requests at the same time, at least 1. @defaultValue what the client's parts do at once */
  readonly maxConcurrency?: number | undefined;
  /** Duration of one request, in milliseconds, at least 0. @defaultValue 3_000 */
  readonly callMs?: number | undefined;
  /**
   * Tokens that answers usually take, with reasoning; at most the output limit counts.
   * @defaultValue `maxOutputTokens` of each request, and its headroom
   */
  readonly expectedOutputTokens?: number | undefined;
  /** Ends the estimate at once: it rejects with the signal's reason. @defaultValue none */
  readonly signal?: AbortSignal | undefined;
}

export const ESTIMATE_SPEC = {
  requestsPerMinute: finiteNumber({ min: 1 }),
  tokensPerMinute: finiteNumber({ min: 1 }),
  maxConcurrency: integer({ min: 1 }),
  callMs: finiteNumber({ min: 0 }),
  expectedOutputTokens: integer({ min: 0 }),
  signal: abortSignal(),
} satisfies OptionChecks<EstimateOptions>;

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
  const { expectedOutputTokens, signal, ...limits } = methodSettings(given, ESTIMATE_SPEC);
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
  return tally.total(paceOf(settings, limits));
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
