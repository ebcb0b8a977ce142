import { BATCH_SPEC, type BatchProcessorOptions } from '../../batch-processor/batch-processor-options.ts';
import { PACK_LIMITS } from '../../batch-processor/packs/pack-limits.ts';
import { definedOf } from '../../internal/options/defined-of.ts';
import { settingsOf } from '../../internal/options/option-checks.ts';
import { NO_OPTIONS } from '../../internal/options/own-options.ts';
import type { PaceLimits } from '../../openai/models/estimate.ts';
import { poolBounds } from '../../openai/pool/openai-pool-options.ts';
import type { PackPlan } from '../packing/planned-packs.ts';
import type { BatchOptions } from './client-options.ts';
import { type EndpointDescription, quotaGroupNames } from './endpoint-options.ts';
import type { ClientSettings } from './resolve-options.ts';

/** `describeMany` has so many images in work. */
const IMAGES_AT_ONCE = 16;

interface Pace extends Pick<ClientSettings, 'environment'> {
  readonly usable: Pick<ClientSettings['usable'], 'batch' | 'pool'>;
  /** @defaultValue none */
  readonly limits?: PaceLimits;
  readonly endpoints: readonly EndpointDescription[];
}

/** How images are put into requests. */
export function packPlanOf(settings: Pace): PackPlan {
  const { batch } = settings.usable;
  if (typeof batch !== 'object') return { ...PACK_LIMITS, batchSize: 1 };
  const { maxPackTokens = PACK_LIMITS.maxPackTokens, maxPackBytes = PACK_LIMITS.maxPackBytes } = batch;
  return { batchSize: batchSettingsOf(settings, batch).batchSize, maxPackTokens, maxPackBytes };
}

/** Requests that the endpoints take at once: as many as they have connections, within the limit that is given. */
function placesOf({ limits = NO_OPTIONS, endpoints, environment, usable: { pool } }: Pace): number {
  const { max } = poolBounds({
    ...environment.pool,
    ...definedOf(typeof pool === 'object' ? pool : undefined),
  });
  const placesAt = ({ limits: own = NO_OPTIONS }: EndpointDescription) =>
    Math.min(own.maxConcurrency ?? limits.maxConcurrency ?? max, max);
  return endpoints.reduce((sum, endpoint) => sum + placesAt(endpoint), 0);
}

/**
 * What all quota groups allow a minute together; no bound where one has none. Endpoints of which only answers tell
 * whether they share limits are taken for one group.
 */
function perMinute(name: 'requestsPerMinute' | 'tokensPerMinute', { endpoints, limits }: Pace) {
  const names = quotaGroupNames(endpoints);
  let sum = 0;
  for (const group of new Set(names)) {
    const own = endpoints.find((endpoint, index) => endpoint.limits && names[index] === group);
    const allowed = own?.limits?.[name] ?? limits?.[name];
    if (allowed === undefined) return undefined;
    sum += allowed;
  }
  return sum;
}

/** The limits that are given, and for the others the client's: those of its options, and what its parts do at once. */
export function paceOf(settings: Pace, given: PaceLimits): PaceLimits {
  const { batch } = settings.usable;
  const places = placesOf(settings);
  const { batchSize, maxConcurrentBatches } =
    typeof batch === 'object'
      ? batchSettingsOf(settings, batch)
      : { batchSize: 1, maxConcurrentBatches: Number.POSITIVE_INFINITY };
  const fullAtOnce = Math.max(1, Math.floor(IMAGES_AT_ONCE / batchSize));
  return {
    requestsPerMinute: perMinute('requestsPerMinute', settings),
    tokensPerMinute: perMinute('tokensPerMinute', settings),
    ...definedOf(given),
    maxConcurrency: Math.min(given.maxConcurrency ?? Math.min(places, fullAtOnce), maxConcurrentBatches),
  };
}

const batchSettingsOf = (
  settings: Pace,
  { batchSize = settings.environment.batch.batchSize, maxConcurrentBatches = placesOf(settings) }: BatchOptions,
) => settingsOf<BatchProcessorOptions<unknown>, typeof BATCH_SPEC>({ batchSize, maxConcurrentBatches }, BATCH_SPEC);
