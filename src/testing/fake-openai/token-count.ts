import type { ImageSize } from './image-facts.ts';
import type { ImageTokenRule } from './token-table.ts';

export type ImageDetail = 'low' | 'high' | 'auto' | 'original';

const PATCH_SIDE = 32;
const TILE_SIDE = 512;
/** At low detail a model sees the image fitted into a square of this side. */
const LOW_DETAIL_SIDE = 512;

/**
 * Tokens of one image.
 * Source: OpenAI, "Images and vision", calculating costs; `auto` means `original` where the model takes that, else `high`.
 */
export function countImageTokens(
  rule: ImageTokenRule,
  size: ImageSize,
  detail: ImageDetail = 'auto',
): number {
  if (rule.by === 'tiles') return detail === 'low' ? rule.base : rule.base + rule.perTile * countTiles(size);
  const seen = detail === 'low' ? fitInto(size, LOW_DETAIL_SIDE) : size;
  const budget = detail === 'low' || detail === 'high' ? rule.budget : (rule.originalBudget ?? rule.budget);
  return Math.ceil(countPatches(seen, budget) * rule.multiplier);
}

/** 512×512 tiles after fitting into 2048×2048 and then bringing the short side down to 768. */
export function countTiles(size: ImageSize): number {
  const fitted = fitInto(size, 2048);
  const factor = Math.min(1, 768 / Math.min(fitted.width, fitted.height));
  return tilesAlong(fitted.width * factor) * tilesAlong(fitted.height * factor);
}

const tilesAlong = (side: number) => Math.max(1, Math.ceil(withoutNoise(side / TILE_SIDE)));

/** 32×32 patches, after scaling down to the budget when there are more. */
export function countPatches({ width, height }: ImageSize, budget: number): number {
  const patches = patchesAlong(width) * patchesAlong(height);
  if (patches <= budget) return patches;
  const shrink = Math.sqrt((PATCH_SIDE ** 2 * budget) / (width * height));
  const across = (width * shrink) / PATCH_SIDE;
  const down = (height * shrink) / PATCH_SIDE;
  const factor = shrink * Math.min(wholeShare(across), wholeShare(down));
  return Math.min(budget, patchesAlong(width * factor) * patchesAlong(height * factor));
}

/** The factor that brings a side down to whole patches; a side below one patch stays, for it can't lose any. */
const wholeShare = (patches: number) => (patches < 1 ? 1 : Math.floor(withoutNoise(patches)) / patches);

const patchesAlong = (side: number) => Math.max(1, Math.ceil(withoutNoise(side / PATCH_SIDE)));

/** Rounds away what floating point adds, so that 33.000000000000004 patches are 33. */
const withoutNoise = (value: number) => Math.round(value * 1e6) / 1e6;

function fitInto({ width, height }: ImageSize, side: number): ImageSize {
  const factor = Math.min(1, side / Math.max(width, height));
  return { width: width * factor, height: height * factor };
}

/** Characters a token: OpenAI's rule of thumb for English. The fake server has no tokenizer. */
const CHARACTERS_PER_TOKEN = 4;
/** Tokens that frame a message, and those that prime the answer. Source: OpenAI cookbook, counting tokens for chat. */
const TOKENS_PER_MESSAGE = 3;
const TOKENS_OF_PRIMING = 3;

/** Tokens of a text, by its length. */
export const countTextTokens = (characters: number): number => Math.ceil(characters / CHARACTERS_PER_TOKEN);

/** Tokens around the texts of that many messages. */
export const countFramingTokens = (messages: number): number =>
  messages * TOKENS_PER_MESSAGE + TOKENS_OF_PRIMING;

/** The start of a text that fits into that many tokens. */
export const cutToTokens = (text: string, tokens: number): string =>
  text.slice(0, tokens * CHARACTERS_PER_TOKEN);
