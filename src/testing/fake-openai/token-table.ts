import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';

/** The bounds that an image is scaled to before its patches are counted. */
export interface PatchBounds {
  /** Longest side, in pixels. */
  readonly maxSidePx: number;
  /** Most 32×32 patches. @defaultValue no budget */
  readonly maxPatches?: number;
}

/** How a family of models counts an image. */
export type ImageTokenRule =
  | {
      readonly by: 'tiles';
      /** Tokens of an image at low detail, and the start of every high one. */
      readonly base: number;
      /** Tokens a 512×512 tile. */
      readonly perTile: number;
    }
  | {
      readonly by: 'patches';
      /** Tokens a patch. */
      readonly multiplier: number;
      readonly low: PatchBounds;
      readonly high: PatchBounds;
      /** Absent where the model does not take `original`. */
      readonly original?: PatchBounds;
      /** The meaning of `auto`, and of no detail. @defaultValue 'high' */
      readonly auto?: 'high' | 'original';
    };

/** The data of a model. */
export interface FakeModel {
  readonly images: ImageTokenRule;
  /** Tokens of prompt and answer together. */
  readonly contextTokens: number;
  /**
   * Spends hidden tokens before its answer, which count against its limit, and takes `max_completion_tokens` only.
   * @defaultValue false
   */
  readonly reasoning?: boolean;
  /** Efforts that it takes. Without `reasoning` they change nothing. @defaultValue all with `reasoning`, else none */
  readonly efforts?: readonly ReasoningEffort[];
  /** The effort of a request to a reasoning model that names none. @defaultValue 'medium' */
  readonly defaultEffort?: ReasoningEffort;
  /**
   * When `temperature` and `top_p` may differ from 1; `'without-reasoning'` means at effort `none`.
   * @defaultValue 'never' for a reasoning model, else 'always'
   */
  readonly temperature?: 'always' | 'without-reasoning' | 'never';
  /** Whether it takes `service_tier: 'flex'`. @defaultValue that of `reasoning` */
  readonly flex?: boolean;
  /** Whether `usage` reports what was written into the prompt cache, as from gpt-5.6 on. @defaultValue false */
  readonly cacheWrites?: boolean;
}

const tiles = (base: number, perTile: number): ImageTokenRule => ({ by: 'tiles', base, perTile });

const SMALL: PatchBounds = { maxSidePx: 512 };
const STANDARD: PatchBounds = { maxSidePx: 2048, maxPatches: 2500 };
const WIDE: PatchBounds = { maxSidePx: 2048, maxPatches: 6144 };
const LARGE: PatchBounds = { maxSidePx: 6000, maxPatches: 10_000 };
const WHOLE: PatchBounds = { maxSidePx: 65_535 };
const FORMER: PatchBounds = { maxSidePx: 2048, maxPatches: 1536 };

/** Models of the older guide: a budget of 1,536 patches. */
const former = (multiplier: number): ImageTokenRule => ({
  by: 'patches',
  multiplier,
  low: SMALL,
  high: FORMER,
});
/** Models that see every image alike, whatever the detail. */
const uniform = (multiplier: number): ImageTokenRule => ({
  by: 'patches',
  multiplier,
  low: WIDE,
  high: WIDE,
});

const gpt54: ImageTokenRule = { by: 'patches', multiplier: 1.2, low: WIDE, high: STANDARD, original: LARGE };
const gpt55: ImageTokenRule = { ...gpt54, low: SMALL, auto: 'original' };
const gpt56: ImageTokenRule = { ...gpt55, original: WHOLE };

const LOW_TO_HIGH: readonly ReasoningEffort[] = ['low', 'medium', 'high'];

type Reasoning = Omit<FakeModel, 'images' | 'contextTokens'>;
const O_SERIES: Reasoning = { reasoning: true, efforts: LOW_TO_HIGH };
const GPT5: Reasoning = { reasoning: true, efforts: ['minimal', ...LOW_TO_HIGH] };
const GPT51: Reasoning = {
  reasoning: true,
  efforts: ['none', ...LOW_TO_HIGH],
  defaultEffort: 'none',
  temperature: 'without-reasoning',
};
const GPT52: Reasoning = { ...GPT51, efforts: ['none', ...LOW_TO_HIGH, 'xhigh'] };
const GPT55: Reasoning = { ...GPT52, defaultEffort: 'medium' };
const GPT56: Reasoning = { ...GPT55, efforts: ['none', ...LOW_TO_HIGH, 'xhigh', 'max'], cacheWrites: true };
const ASTRA: Reasoning = { reasoning: true, efforts: [...LOW_TO_HIGH, 'xhigh', 'max'], cacheWrites: true };

const model = (images: ImageTokenRule, contextTokens: number, more: Reasoning = {}): FakeModel => ({
  images,
  contextTokens,
  ...more,
});

/**
 * The built-in models of the fake server.
 * Source of the image rules: OpenAI, "Images and vision", model sizing table and calculating costs, copies of autumn
 * 2026. For models that it no longer lists (`former`), the copy of spring 2026. Source of the context windows: OpenAI's
 * model pages. They only decide when the answer is `context_length_exceeded`. Efforts and temperature: error bodies and
 * trials in public issues (experientiallabs/experiential#764, BerriAI/litellm#34210, BerriAI/litellm-docs#1064, #1173).
 */
export const MODEL_TABLE: Readonly<Record<string, FakeModel>> = {
  'gpt-4o': model(tiles(85, 170), 128_000),
  'gpt-4o-mini': model(tiles(2833, 5667), 128_000),
  'gpt-4.1': model(tiles(85, 170), 1_047_576),
  'gpt-4.1-mini': model(uniform(1.62), 1_047_576),
  'gpt-4.1-nano': model(former(2.46), 1_047_576),
  'gpt-4.5': model(tiles(85, 170), 128_000),
  'gpt-5': model(tiles(70, 140), 400_000, GPT5),
  'gpt-5.1': model(tiles(70, 140), 400_000, GPT51),
  'gpt-5-mini': model(former(1.62), 400_000, GPT5),
  'gpt-5-nano': model(former(2.46), 400_000, GPT5),
  'gpt-5.2': model(uniform(1.2), 400_000, GPT52),
  'gpt-5.4': model(gpt54, 1_050_000, GPT52),
  'gpt-5.4-mini': model(gpt54, 400_000, GPT52),
  'gpt-5.4-nano': model(gpt54, 400_000, GPT52),
  'gpt-5.5': model(gpt55, 1_050_000, GPT55),
  'gpt-5.6': model(gpt56, 1_050_000, GPT56),
  'gpt-5.6-sol': model(gpt56, 1_050_000, GPT56),
  'gpt-5.6-terra': model(gpt56, 1_050_000, GPT56),
  'gpt-5.6-luna': model(gpt56, 1_050_000, GPT56),
  'gpt-6-astra': model(gpt56, 1_050_000, ASTRA),
  'gpt-6-sol': model(gpt56, 1_050_000, GPT56),
  'gpt-6-luna': model(gpt56, 1_050_000, GPT56),
  'gpt-6.1-sol': model(gpt56, 1_050_000, ASTRA),
  'gpt-6.1-terra': model(gpt56, 1_050_000, GPT56),
  o1: model(tiles(75, 150), 200_000, { ...O_SERIES, flex: false }),
  o3: model(tiles(75, 150), 200_000, O_SERIES),
  'o4-mini': model(former(1.72), 200_000, O_SERIES),
};

/** Finds a model by its name, or by its name with a date after it, such as `gpt-4o-2024-08-06`. */
export function findModel(models: Readonly<Record<string, FakeModel>>, name: string): FakeModel | undefined {
  if (Object.hasOwn(models, name)) return models[name];
  const family = name.replace(/-\d{4}-\d{2}-\d{2}$/, '');
  return Object.hasOwn(models, family) ? models[family] : undefined;
}
