import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';
import type { ImageSizing, ModelEntry, ModelLimits, ModelPrice, PatchLimits, Provenance } from './model-entry.ts';

const GUIDE: Provenance = {
  source: 'developers.openai.com/api/docs/guides/images-vision, model sizing table (copy of autumn 2026)',
  readOn: '2026-11-22',
};

/** The older guide: 1,536 patches for these models. The newer one no longer lists them, for they are being retired. */
const OLDER_GUIDE: Provenance = {
  source: 'platform.openai.com/docs/guides/images-vision (copy of spring 2026)',
  readOn: '2026-11-22',
  uncertain: 'deprecated; the newer guide gives a multiplier at most, and no budget',
};

/** The two copies of the guide differ; docs/decisions tells why the newer one, which is dearer, is followed. */
const DISPUTED: Provenance = {
  ...GUIDE,
  uncertain: 'the copy of spring 2026 gives 1,536 patches, and 512 pixels at low detail',
};

/** The guide's copy is older than these models; what others measured agrees with gpt-5.6. */
const LIKE_GPT56: Provenance = { ...GUIDE, uncertain: 'sized as gpt-5.6, which the guide lists' };

const PRICING: Provenance = {
  source: 'developers.openai.com/api/docs/pricing, standard tier (copy of autumn 2026, itself undated)',
  readOn: '2026-11-28',
};

/** `cachedInput` of undefined: the page lists none. */
const price = (input: number, cachedInput: number | undefined, output: number): ModelPrice => ({
  input,
  ...(cachedInput === undefined ? {} : { cachedInput }),
  output,
  provenance: PRICING,
});

/** Above 272,000 input tokens: twice the input, half as much again for the output. */
const withLongContext = (base: ModelPrice): ModelPrice => ({
  ...base,
  longContext: {
    aboveInputTokens: 272_000,
    input: base.input * 2,
    ...(base.cachedInput === undefined ? {} : { cachedInput: base.cachedInput * 2 }),
    ...(base.cacheWrite === undefined ? {} : { cacheWrite: base.cacheWrite * 2 }),
    output: base.output * 1.5,
  },
});

/** Source: the guide "Prompt caching": from gpt-5.6 on, writing into the cache costs a quarter more than input. */
const CACHE_WRITE_FACTOR = 1.25;

const withCacheWrites = (base: ModelPrice): ModelPrice =>
  withLongContext({ ...base, cacheWrite: base.input * CACHE_WRITE_FACTOR });

const tile = (baseTokens: number, tileTokens: number): ImageSizing => ({
  kind: 'tile',
  baseTokens,
  tileTokens,
});

const SMALL: PatchLimits = { maxSidePx: 512 };
const HIGH: PatchLimits = { maxSidePx: 2_048, maxPatches: 2_500 };
const WIDE: PatchLimits = { maxSidePx: 2_048, maxPatches: 6_144 };
const ORIGINAL: PatchLimits = { maxSidePx: 6_000, maxPatches: 10_000 };
const UNBOUNDED: PatchLimits = { maxSidePx: 65_535 };
const FORMER: PatchLimits = { maxSidePx: 2_048, maxPatches: 1_536 };

const gpt56: ImageSizing = {
  kind: 'patch',
  multiplier: 1.2,
  details: { low: SMALL, high: HIGH, original: UNBOUNDED, auto: UNBOUNDED },
};
const gpt55: ImageSizing = {
  kind: 'patch',
  multiplier: 1.2,
  details: { low: SMALL, high: HIGH, original: ORIGINAL, auto: ORIGINAL },
};
/** `low` costs more than `high` here: it keeps 2,048 pixels and a larger budget. */
const gpt54: ImageSizing = {
  kind: 'patch',
  multiplier: 1.2,
  details: { low: WIDE, high: HIGH, original: ORIGINAL, auto: HIGH },
};
/** Every level is sized alike: `low` saves nothing. */
const uniform = (multiplier: number): ImageSizing => ({
  kind: 'patch',
  multiplier,
  details: { low: WIDE, high: WIDE, auto: WIDE },
});
const former = (multiplier: number): ImageSizing => ({
  kind: 'patch',
  multiplier,
  details: { low: SMALL, high: FORMER, auto: FORMER },
});

const MODEL_PAGES: Provenance = {
  source: 'model pages under developers.openai.com/api/docs/models, as gateways quote them',
  readOn: '2026-11-22',
};

const limits = (contextTokens: number, maxOutputTokens: number, uncertain?: string): ModelLimits => ({
  contextTokens,
  maxOutputTokens,
  provenance: uncertain === undefined ? MODEL_PAGES : { ...MODEL_PAGES, uncertain },
});

const GPT4O = limits(128_000, 16_384);
const GPT41 = limits(1_047_576, 32_768);
const GPT5 = limits(400_000, 128_000);
const MILLION = limits(1_050_000, 128_000);
const ABOUT_A_MILLION = limits(1_050_000, 128_000, 'quoted as "1M" only; taken to be as of gpt-5.4');
const O_SERIES = limits(200_000, 100_000);

const entry = (
  family: string,
  sizing: ImageSizing,
  modelPrice: ModelPrice,
  modelLimits: ModelLimits,
  sizingProvenance: Provenance = GUIDE,
): ModelEntry => ({ family, sizing, sizingProvenance, price: modelPrice, limits: modelLimits });

/**
 * 4, 0.4 and 20 from 2026-08-21 "at least through November 21, 2026". No copy of the page is newer, so the catalog has
 * the price before. If the promotion goes on, an estimate is too high.
 */
const AFTER_PROMOTION: Provenance = {
  ...PRICING,
  uncertain: 'the list price of July 2026; a promotion at 4, 0.4 and 20 was announced until 2026-11-21 at least',
};

/** The parameters that a model accepts. */
type Support = Pick<ModelEntry, 'reasoningEfforts' | 'defaultEffort' | 'temperature' | 'flex' | 'shutdownOn'>;

const FROM_LOW: readonly ReasoningEffort[] = ['low', 'medium', 'high'];

/**
 * Efforts and defaults by generation, as the guide "Reasoning" and the model pages of OpenAI list them. Temperature:
 * the guide "Deployment checklist" ("when reasoning effort is not none, remove temperature"), and reports of others
 * (BerriAI/litellm#34210). Flex: the tier's table of the page "Pricing", and a trial (evalstate/fast-agent 0.10.32).
 */
const PLAIN: Support = { temperature: 'always', flex: false };
const O_MODEL: Support = { reasoningEfforts: FROM_LOW, defaultEffort: 'medium', temperature: 'never', flex: true };
const GPT5_SUPPORT: Support = { ...O_MODEL, reasoningEfforts: ['minimal', ...FROM_LOW] };
const GPT51_SUPPORT: Support = {
  reasoningEfforts: ['none', ...FROM_LOW],
  defaultEffort: 'none',
  temperature: 'without-reasoning',
  flex: true,
};
const GPT52_SUPPORT: Support = { ...GPT51_SUPPORT, reasoningEfforts: ['none', ...FROM_LOW, 'xhigh'] };
const GPT55_SUPPORT: Support = { ...GPT52_SUPPORT, defaultEffort: 'medium' };
const GPT56_SUPPORT: Support = { ...GPT55_SUPPORT, reasoningEfforts: ['none', ...FROM_LOW, 'xhigh', 'max'] };
/** gpt-6-astra takes `max` through the Responses API only (BerriAI/litellm-docs#1173). */
const WITHOUT_NONE: Support = { reasoningEfforts: [...FROM_LOW, 'xhigh', 'max'], temperature: 'never', flex: true };

/** Days of shutdown by OpenAI's page "Deprecations", as copies of October 2026 give them. */
const OCTOBER = { shutdownOn: '2026-10-23' };
const DECEMBER = { shutdownOn: '2026-12-11' };
const JANUARY = { shutdownOn: '2027-01-14' };

const SOL56: ModelEntry = {
  ...entry('gpt-5.6', gpt56, { ...withCacheWrites(price(5, 0.5, 30)), provenance: AFTER_PROMOTION }, MILLION),
  ...GPT56_SUPPORT,
};

const pricedBy = (modelPrice: ModelPrice, model: string, quotedBy: string): ModelPrice => ({
  ...modelPrice,
  provenance: { source: `developers.openai.com/api/docs/models/${model}, quoted by ${quotedBy}`, readOn: '2026-11-28' },
});

/** Every built-in model. Correct a number here, with its source; users can override any through options. */
export const BUILT_IN_MODELS: Readonly<Record<string, ModelEntry>> = {
  'gpt-6.1-sol': {
    ...entry(
      'gpt-6.1',
      gpt56,
      pricedBy(withCacheWrites(price(2, 0.1, 10)), 'gpt-6.1-sol', 'amine123max/Codex-Manager 0.4.7'),
      ABOUT_A_MILLION,
      LIKE_GPT56,
    ),
    ...WITHOUT_NONE,
  },
  'gpt-6.1-terra': {
    ...entry(
      'gpt-6.1',
      gpt56,
      pricedBy(withCacheWrites(price(1, 0.05, 5)), 'gpt-6.1-terra', 'docs.litellm.ai/blog/gpt-6-1-terra'),
      MILLION,
      LIKE_GPT56,
    ),
    ...GPT56_SUPPORT,
  },
  'gpt-6-astra': {
    ...entry('gpt-6', gpt56, withCacheWrites(price(10, 1, 50)), ABOUT_A_MILLION, LIKE_GPT56),
    ...WITHOUT_NONE,
  },
  'gpt-6-sol': { ...entry('gpt-6', gpt56, withCacheWrites(price(2, 0.2, 10)), MILLION, LIKE_GPT56), ...GPT56_SUPPORT },
  'gpt-6-luna': {
    ...entry('gpt-6', gpt56, withCacheWrites(price(0.1, 0.01, 0.5)), MILLION, LIKE_GPT56),
    ...GPT56_SUPPORT,
  },
  /** The API takes `gpt-5.6` for `gpt-5.6-sol`. */
  'gpt-5.6': SOL56,
  'gpt-5.6-sol': SOL56,
  'gpt-5.6-terra': { ...entry('gpt-5.6', gpt56, withCacheWrites(price(2, 0.2, 12)), MILLION), ...GPT56_SUPPORT },
  'gpt-5.6-luna': { ...entry('gpt-5.6', gpt56, withCacheWrites(price(0.2, 0.02, 1.2)), MILLION), ...GPT56_SUPPORT },
  'gpt-5.5': { ...entry('gpt-5.5', gpt55, withLongContext(price(5, 0.5, 30)), ABOUT_A_MILLION), ...GPT55_SUPPORT },
  'gpt-5.4': { ...entry('gpt-5.4', gpt54, withLongContext(price(2.5, 0.25, 15)), MILLION), ...GPT52_SUPPORT },
  'gpt-5.4-mini': { ...entry('gpt-5.4', gpt54, price(0.75, 0.075, 4.5), GPT5, DISPUTED), ...GPT52_SUPPORT },
  'gpt-5.4-nano': { ...entry('gpt-5.4', gpt54, price(0.2, 0.02, 1.25), GPT5, DISPUTED), ...GPT52_SUPPORT },
  'gpt-5.2': { ...entry('gpt-5.2', uniform(1.2), price(1.75, 0.175, 14), GPT5, DISPUTED), ...GPT52_SUPPORT },
  'gpt-5.1': {
    ...entry('gpt-5', tile(70, 140), price(1.25, 0.125, 10), GPT5),
    ...GPT51_SUPPORT,
    shutdownOn: '2027-04-01',
  },
  'gpt-5': { ...entry('gpt-5', tile(70, 140), price(1.25, 0.125, 10), GPT5), ...GPT5_SUPPORT, ...DECEMBER },
  'gpt-5-mini': {
    ...entry('gpt-5', former(1.62), price(0.25, 0.025, 2), GPT5, OLDER_GUIDE),
    ...GPT5_SUPPORT,
    ...DECEMBER,
  },
  'gpt-5-nano': {
    ...entry('gpt-5', former(2.46), price(0.05, 0.005, 0.4), GPT5, OLDER_GUIDE),
    ...GPT5_SUPPORT,
    ...DECEMBER,
  },
  'gpt-4.1': { ...entry('gpt-4.1', tile(85, 170), price(2, 0.5, 8), GPT41), ...PLAIN, ...JANUARY },
  'gpt-4.1-mini': { ...entry('gpt-4.1', uniform(1.62), price(0.4, 0.1, 1.6), GPT41, DISPUTED), ...PLAIN, ...JANUARY },
  'gpt-4.1-nano': {
    ...entry('gpt-4.1', former(2.46), price(0.1, 0.025, 0.4), GPT41, OLDER_GUIDE),
    ...PLAIN,
    ...OCTOBER,
  },
  'gpt-4.5': {
    family: 'gpt-4.5',
    sizing: tile(85, 170),
    sizingProvenance: OLDER_GUIDE,
    limits: GPT4O,
    ...PLAIN,
    shutdownOn: '2025-07-14',
  },
  'gpt-4o': { ...entry('gpt-4o', tile(85, 170), price(2.5, 1.25, 10), GPT4O), ...PLAIN, ...JANUARY },
  'gpt-4o-mini': { ...entry('gpt-4o', tile(2_833, 5_667), price(0.15, 0.075, 0.6), GPT4O), ...PLAIN, ...JANUARY },
  o1: { ...entry('o-series', tile(75, 150), price(15, 7.5, 60), O_SERIES), ...O_MODEL, flex: false, ...OCTOBER },
  o3: { ...entry('o-series', tile(75, 150), price(2, 0.5, 8), O_SERIES), ...O_MODEL, ...DECEMBER },
  'o4-mini': {
    ...entry('o-series', former(1.72), price(1.1, 0.275, 4.4), O_SERIES, OLDER_GUIDE),
    ...O_MODEL,
    ...OCTOBER,
  },
};
