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
  readOn: '2026-11-22',
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
    output: base.output * 1.5,
  },
});

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

const PROMOTION: Provenance = { ...PRICING, uncertain: 'promotional "at least through November 21, 2026"' };

/** Efforts by generation, as the guide "Reasoning" and the model pages of OpenAI list them. */
const FROM_LOW: readonly ReasoningEffort[] = ['low', 'medium', 'high'];
const FROM_MINIMAL: readonly ReasoningEffort[] = ['minimal', ...FROM_LOW];
const FROM_NONE: readonly ReasoningEffort[] = ['none', ...FROM_LOW];

const reasoning = (efforts: readonly ReasoningEffort[], model: ModelEntry): ModelEntry => ({
  ...model,
  reasoningEfforts: efforts,
});

/** Every built-in model. Correct a number here, with its source; users can override any through options. */
export const BUILT_IN_MODELS: Readonly<Record<string, ModelEntry>> = {
  'gpt-6-astra': reasoning(
    FROM_NONE,
    entry('gpt-6', gpt56, withLongContext(price(10, 1, 50)), ABOUT_A_MILLION, LIKE_GPT56),
  ),
  'gpt-6-sol': reasoning(FROM_NONE, entry('gpt-6', gpt56, withLongContext(price(2, 0.2, 10)), MILLION, LIKE_GPT56)),
  'gpt-6-luna': reasoning(
    FROM_NONE,
    entry('gpt-6', gpt56, withLongContext(price(0.1, 0.01, 0.5)), MILLION, LIKE_GPT56),
  ),
  'gpt-5.6-sol': reasoning(
    FROM_NONE,
    entry('gpt-5.6', gpt56, { ...withLongContext(price(4, 0.4, 20)), provenance: PROMOTION }, MILLION),
  ),
  'gpt-5.6-terra': reasoning(FROM_NONE, entry('gpt-5.6', gpt56, withLongContext(price(2, 0.2, 12)), MILLION)),
  'gpt-5.6-luna': reasoning(FROM_NONE, entry('gpt-5.6', gpt56, withLongContext(price(0.2, 0.02, 1.2)), MILLION)),
  'gpt-5.5': reasoning(FROM_NONE, entry('gpt-5.5', gpt55, withLongContext(price(5, 0.5, 30)), ABOUT_A_MILLION)),
  'gpt-5.4': reasoning(FROM_NONE, entry('gpt-5.4', gpt54, withLongContext(price(2.5, 0.25, 15)), MILLION)),
  'gpt-5.4-mini': reasoning(FROM_NONE, entry('gpt-5.4', gpt54, price(0.75, 0.075, 4.5), GPT5, DISPUTED)),
  'gpt-5.4-nano': reasoning(FROM_NONE, entry('gpt-5.4', gpt54, price(0.2, 0.02, 1.25), GPT5, DISPUTED)),
  'gpt-5.2': reasoning(FROM_NONE, entry('gpt-5.2', uniform(1.2), price(1.75, 0.175, 14), GPT5, DISPUTED)),
  'gpt-5.1': reasoning(FROM_NONE, entry('gpt-5', tile(70, 140), price(1.25, 0.125, 10), GPT5)),
  'gpt-5': reasoning(FROM_MINIMAL, entry('gpt-5', tile(70, 140), price(1.25, 0.125, 10), GPT5)),
  'gpt-5-mini': reasoning(FROM_MINIMAL, entry('gpt-5', former(1.62), price(0.25, 0.025, 2), GPT5, OLDER_GUIDE)),
  'gpt-5-nano': reasoning(FROM_MINIMAL, entry('gpt-5', former(2.46), price(0.05, 0.005, 0.4), GPT5, OLDER_GUIDE)),
  'gpt-4.1': entry('gpt-4.1', tile(85, 170), price(2, 0.5, 8), GPT41),
  'gpt-4.1-mini': entry('gpt-4.1', uniform(1.62), price(0.4, 0.1, 1.6), GPT41, DISPUTED),
  'gpt-4.1-nano': entry('gpt-4.1', former(2.46), price(0.1, 0.025, 0.4), GPT41, OLDER_GUIDE),
  'gpt-4.5': { family: 'gpt-4.5', sizing: tile(85, 170), sizingProvenance: OLDER_GUIDE, limits: GPT4O },
  'gpt-4o': entry('gpt-4o', tile(85, 170), price(2.5, 1.25, 10), GPT4O),
  'gpt-4o-mini': entry('gpt-4o', tile(2_833, 5_667), price(0.15, 0.075, 0.6), GPT4O),
  o1: reasoning(FROM_LOW, entry('o-series', tile(75, 150), price(15, 7.5, 60), O_SERIES)),
  o3: reasoning(FROM_LOW, entry('o-series', tile(75, 150), price(2, 0.5, 8), O_SERIES)),
  'o4-mini': reasoning(FROM_LOW, entry('o-series', former(1.72), price(1.1, 0.275, 4.4), O_SERIES, OLDER_GUIDE)),
};
