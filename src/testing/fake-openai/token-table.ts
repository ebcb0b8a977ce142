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
      /** Most 32×32 patches of an image at high detail. */
      readonly budget: number;
      /** Most patches at `original` detail; absent where the model does not take `original`. */
      readonly originalBudget?: number;
      /** Tokens a patch. */
      readonly multiplier: number;
    };

/** What the fake server knows of a model. */
export interface FakeModel {
  readonly images: ImageTokenRule;
  /** Tokens of prompt and answer together. */
  readonly contextTokens: number;
  /** Takes `max_completion_tokens` only, and no `temperature` but 1. @defaultValue false */
  readonly reasoning?: boolean;
}

const tiles = (base: number, perTile: number): ImageTokenRule => ({ by: 'tiles', base, perTile });
const patches = (budget: number, multiplier: number, originalBudget?: number): ImageTokenRule => ({
  by: 'patches',
  budget,
  multiplier,
  ...(originalBudget === undefined ? {} : { originalBudget }),
});

/**
 * The models that the fake server knows unless told otherwise.
 * Source of the image rules: OpenAI, "Images and vision", calculating costs (copies of August to October 2026).
 * Source of the context windows: OpenAI's model pages; they only decide when `context_length_exceeded` is answered.
 */
export const MODEL_TABLE: Readonly<Record<string, FakeModel>> = {
  'gpt-4o': { images: tiles(85, 170), contextTokens: 128_000 },
  'gpt-4o-mini': { images: tiles(2833, 5667), contextTokens: 128_000 },
  'gpt-4.1': { images: tiles(85, 170), contextTokens: 1_047_576 },
  'gpt-4.1-mini': { images: patches(1536, 1.62), contextTokens: 1_047_576 },
  'gpt-4.1-nano': { images: patches(1536, 2.46), contextTokens: 1_047_576 },
  'gpt-4.5': { images: tiles(85, 170), contextTokens: 128_000 },
  'gpt-5': { images: tiles(70, 140), contextTokens: 400_000, reasoning: true },
  'gpt-5-mini': { images: patches(1536, 1.62), contextTokens: 400_000, reasoning: true },
  'gpt-5-nano': { images: patches(1536, 2.46), contextTokens: 400_000, reasoning: true },
  'gpt-5.2': { images: patches(1536, 1), contextTokens: 400_000, reasoning: true },
  'gpt-5.4': { images: patches(2500, 1, 10_000), contextTokens: 1_050_000, reasoning: true },
  'gpt-5.4-mini': { images: patches(1536, 1.62), contextTokens: 400_000, reasoning: true },
  'gpt-5.4-nano': { images: patches(1536, 2.46), contextTokens: 400_000, reasoning: true },
  'gpt-5.5': { images: patches(2500, 1, 10_000), contextTokens: 1_050_000, reasoning: true },
  o1: { images: tiles(75, 150), contextTokens: 200_000, reasoning: true },
  o3: { images: tiles(75, 150), contextTokens: 200_000, reasoning: true },
  'o4-mini': { images: patches(1536, 1.72), contextTokens: 200_000, reasoning: true },
};

/** Finds a model by its name, or by its name with a date after it, such as `gpt-4o-2024-08-06`. */
export function findModel(models: Readonly<Record<string, FakeModel>>, name: string): FakeModel | undefined {
  if (Object.hasOwn(models, name)) return models[name];
  const family = name.replace(/-\d{4}-\d{2}-\d{2}$/, '');
  return Object.hasOwn(models, family) ? models[family] : undefined;
}
