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
  /** Takes `max_completion_tokens` only, and no `temperature` but 1. @defaultValue false */
  readonly reasoning?: boolean;
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

const reasoning = (images: ImageTokenRule, contextTokens: number): FakeModel => ({
  images,
  contextTokens,
  reasoning: true,
});

/**
 * The built-in models of the fake server.
 * Source of the image rules: OpenAI, "Images and vision", model sizing table and calculating costs, copies of autumn
 * 2026. For models that it no longer lists (`former`), the copy of spring 2026. Source of the context windows: OpenAI's
 * model pages. They only decide when the answer is `context_length_exceeded`.
 */
export const MODEL_TABLE: Readonly<Record<string, FakeModel>> = {
  'gpt-4o': { images: tiles(85, 170), contextTokens: 128_000 },
  'gpt-4o-mini': { images: tiles(2833, 5667), contextTokens: 128_000 },
  'gpt-4.1': { images: tiles(85, 170), contextTokens: 1_047_576 },
  'gpt-4.1-mini': { images: uniform(1.62), contextTokens: 1_047_576 },
  'gpt-4.1-nano': { images: former(2.46), contextTokens: 1_047_576 },
  'gpt-4.5': { images: tiles(85, 170), contextTokens: 128_000 },
  'gpt-5': reasoning(tiles(70, 140), 400_000),
  'gpt-5.1': reasoning(tiles(70, 140), 400_000),
  'gpt-5-mini': reasoning(former(1.62), 400_000),
  'gpt-5-nano': reasoning(former(2.46), 400_000),
  'gpt-5.2': reasoning(uniform(1.2), 400_000),
  'gpt-5.4': reasoning(gpt54, 1_050_000),
  'gpt-5.4-mini': reasoning(gpt54, 400_000),
  'gpt-5.4-nano': reasoning(gpt54, 400_000),
  'gpt-5.5': reasoning(gpt55, 1_050_000),
  'gpt-5.6-sol': reasoning(gpt56, 1_050_000),
  'gpt-5.6-terra': reasoning(gpt56, 1_050_000),
  'gpt-5.6-luna': reasoning(gpt56, 1_050_000),
  o1: reasoning(tiles(75, 150), 200_000),
  o3: reasoning(tiles(75, 150), 200_000),
  'o4-mini': reasoning(former(1.72), 200_000),
};

/** Finds a model by its name, or by its name with a date after it, such as `gpt-4o-2024-08-06`. */
export function findModel(models: Readonly<Record<string, FakeModel>>, name: string): FakeModel | undefined {
  if (Object.hasOwn(models, name)) return models[name];
  const family = name.replace(/-\d{4}-\d{2}-\d{2}$/, '');
  return Object.hasOwn(models, family) ? models[family] : undefined;
}
