import { VISION_BATCH_SPEC } from '../../batch-processor/vision-description-batch-processor.ts';
import { definedOf } from '../../internal/options/defined-of.ts';
import { settingsOf } from '../../internal/options/option-checks.ts';
import { NO_OPTIONS } from '../../internal/options/own-options.ts';
import type { PaceLimits } from '../../openai/models/estimate.ts';
import { poolBounds } from '../../openai/pool/openai-pool-options.ts';
import type { ClientSettings } from '../options/client-settings.ts';
import { type EndpointDescription, quotaGroupNames } from '../options/endpoint-options.ts';
import type { PackPlan } from '../packing/packing-cost.ts';

/** Images that `describeMany` has in work by default. */
const IMAGES_AT_ONCE = 16;

type Pace = Pick<ClientSettings, 'batch' | 'endpoints' | 'limits' | 'packing' | 'pool'>;

/** How images are put into requests. */
export function packPlanOf({ packing, batch }: Pace): PackPlan {
  const { batchSize, maxPackTokens, maxPackBytes } = settingsOf(batch, VISION_BATCH_SPEC);
  return { batchSize: packing === 'always' ? batchSize : 1, maxPackTokens, maxPackBytes };
}

/** Requests that the endpoints take at once: as many as they have connections, within the given limit. */
function placesOf({ limits, endpoints, pool }: Pace): number {
  const { max } = poolBounds(typeof pool === 'object' ? pool : {});
  const placesAt = ({ limits: own = NO_OPTIONS }: EndpointDescription) =>
    Math.min(own.maxConcurrency ?? limits.maxConcurrency ?? max, max);
  return endpoints.reduce((sum, endpoint) => sum + placesAt(endpoint), 0);
}

/**
 * The sum over all quota groups, a minute; no bound where one group has none. Endpoints that may share limits count as
 * one group.
 */
function perMinute(name: 'requestsPerMinute' | 'tokensPerMinute', { endpoints, limits }: Pace) {
  const names = quotaGroupNames(endpoints);
  let sum = 0;
  for (const group of new Set(names)) {
    const own = endpoints.find((endpoint, index) => endpoint.limits && names[index] === group);
    const allowed = own?.limits?.[name] ?? limits[name];
    if (allowed === undefined) return undefined;
    sum += allowed;
  }
  return sum;
}

/** The given limits. The client's options, and the bounds of its parts, replace those that are absent. */
export function paceOf(settings: Pace, given: PaceLimits): PaceLimits {
  const places = placesOf(settings);
  const { batchSize } = packPlanOf(settings);
  const fullAtOnce = Math.max(1, Math.floor(IMAGES_AT_ONCE / batchSize));
  const packsAtOnce =
    settings.packing === 'always' ? (settings.batch.maxConcurrentBatches ?? places) : Number.POSITIVE_INFINITY;
  return {
    requestsPerMinute: perMinute('requestsPerMinute', settings),
    tokensPerMinute: perMinute('tokensPerMinute', settings),
    ...definedOf(given),
    maxConcurrency: Math.min(given.maxConcurrency ?? Math.min(places, fullAtOnce), packsAtOnce),
  };
}
