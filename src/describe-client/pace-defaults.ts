import { batchSettings } from '../batch-processor/batch-processor-options.ts';
import { PACK_LIMITS } from '../batch-processor/pack-limits.ts';
import { definedOf } from '../internal/defined-of.ts';
import type { PaceLimits } from '../openai/estimate.ts';
import { poolBounds } from '../openai/openai-pool-options.ts';
import type { BatchOptions } from './client-options.ts';
import type { PackPlan } from './planned-packs.ts';
import type { ClientSettings } from './resolve-options.ts';

/** `describeMany` has so many images in work. */
const IMAGES_AT_ONCE = 16;

interface Pace extends Pick<ClientSettings, 'environment'> {
  readonly usable: Pick<ClientSettings['usable'], 'batch' | 'pool'>;
  /** @defaultValue none */
  readonly limits?: PaceLimits;
  /** @defaultValue one */
  readonly endpoints?: readonly unknown[];
}

/** How images are put into requests. */
export function packPlanOf(settings: Pick<Pace, 'usable' | 'environment'>): PackPlan {
  const { batch } = settings.usable;
  if (typeof batch !== 'object') return { ...PACK_LIMITS, batchSize: 1 };
  const { maxPackTokens = PACK_LIMITS.maxPackTokens, maxPackBytes = PACK_LIMITS.maxPackBytes } = batch;
  return { batchSize: batchSettingsOf(settings, batch).batchSize, maxPackTokens, maxPackBytes };
}

/** The limits that are given, and for the others the client's: those of its options, and what its parts do at once. */
export function paceOf(settings: Pace, given: PaceLimits): PaceLimits {
  const { limits = {}, endpoints, environment, usable } = settings;
  const { requestsPerMinute, tokensPerMinute } = limits;
  const { batch, pool } = usable;
  const { max: poolMax } = poolBounds({
    min: environment.poolMinSize,
    max: environment.poolMaxSize,
    ...definedOf(typeof pool === 'object' ? pool : undefined),
  });
  const places = (endpoints?.length ?? 1) * Math.min(limits.maxConcurrency ?? poolMax, poolMax);
  const atOnce = given.maxConcurrency ?? Math.min(places, IMAGES_AT_ONCE);
  return {
    requestsPerMinute,
    tokensPerMinute,
    ...definedOf(given),
    maxConcurrency:
      typeof batch === 'object'
        ? Math.min(atOnce, batchSettingsOf(settings, batch).maxConcurrentBatches)
        : atOnce,
  };
}

const batchSettingsOf = (
  { environment }: Pick<Pace, 'environment'>,
  { batchSize = environment.batchSize, maxConcurrentBatches }: BatchOptions,
) => batchSettings({ batchSize, maxConcurrentBatches });
