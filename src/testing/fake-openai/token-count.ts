import type { ImageSize } from './image-size.ts';
import type { ImageTokenRule, PatchBounds } from './token-table.ts';

export type ImageDetail = 'low' | 'high' | 'auto' | 'original';

const PATCH_SIDE = 32;
const TILE_SIDE = 512;
/**
 * Tokens of one image.
 * Source: OpenAI, "Images and vision", calculating costs.
 */
export function countImageTokens(rule: ImageTokenRule, size: ImageSize, detail: ImageDetail = 'auto'): number {
  if (rule.by === 'tiles') return detail === 'low' ? rule.base : rule.base + rule.perTile * countTiles(size);
  return Math.ceil(withoutNoise(countPatches(size, boundsOf(rule, detail)) * rule.multiplier));
}

type PatchRule = Extract<ImageTokenRule, { by: 'patches' }>;

/** The bounds that an image of that detail is scaled to. */
export function boundsOf(rule: PatchRule, detail: ImageDetail = 'auto'): PatchBounds {
  const level = detail === 'auto' ? (rule.auto ?? 'high') : detail;
  return rule[level] ?? rule.high;
}

/** 512×512 tiles after fitting into 2048×2048 and then bringing the short side down to 768. Nothing is enlarged. */
export function countTiles(size: ImageSize): number {
  const fitted = fitInto(size, 2048);
  const factor = Math.min(1, 768 / Math.min(fitted.width, fitted.height));
  const { width, height } = scale(fitted, factor);
  return Math.ceil(width / TILE_SIDE) * Math.ceil(height / TILE_SIDE);
}

/** 32×32 patches, after scaling down to the longest side and then to the budget. */
export function countPatches(
  size: ImageSize,
  { maxSidePx, maxPatches = Number.POSITIVE_INFINITY }: PatchBounds,
): number {
  const fitted = fitInto(size, maxSidePx);
  if (patchesOf(fitted) <= maxPatches) return patchesOf(fitted);
  const shrink = Math.sqrt((PATCH_SIDE ** 2 * maxPatches) / (fitted.width * fitted.height));
  const across = (fitted.width * shrink) / PATCH_SIDE;
  const down = (fitted.height * shrink) / PATCH_SIDE;
  const factor = shrink * Math.min(wholeShare(across), wholeShare(down));
  return Math.min(maxPatches, patchesOf(scale(fitted, factor)));
}

const patchesOf = ({ width, height }: ImageSize) => Math.ceil(width / PATCH_SIDE) * Math.ceil(height / PATCH_SIDE);

/** The factor that brings a side down to whole patches; a side below one patch stays, for it can't lose any. */
const wholeShare = (patches: number) => (patches < 1 ? 1 : Math.floor(withoutNoise(patches)) / patches);

/** Fits into a square, in whole pixels. */
function fitInto({ width, height }: ImageSize, sidePx: number): ImageSize {
  const factor = Math.min(1, sidePx / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** Scales down to whole pixels that don't pass the exact size. */
const scale = ({ width, height }: ImageSize, factor: number): ImageSize => ({
  width: Math.max(1, Math.floor(withoutNoise(width * factor))),
  height: Math.max(1, Math.floor(withoutNoise(height * factor))),
});

/** Rounds away what floating point adds, so that 33.000000000000004 patches are 33. */
const withoutNoise = (value: number) => Math.round(value * 1e6) / 1e6;

/** Characters a token: OpenAI's rule of thumb for English. The fake server has no tokenizer. */
const CHARACTERS_PER_TOKEN = 4;
/** Tokens that frame a message, and those that prime the answer. Source: OpenAI cookbook, counting tokens for chat. */
const TOKENS_PER_MESSAGE = 3;
const TOKENS_OF_PRIMING = 3;

/** Tokens of a text, by its length. */
export const countTextTokens = (characters: number): number => Math.ceil(characters / CHARACTERS_PER_TOKEN);

/** Tokens around the texts of that many messages. */
export const countFramingTokens = (messages: number): number => messages * TOKENS_PER_MESSAGE + TOKENS_OF_PRIMING;

/** The start of a text that fits into that many tokens. */
export const cutToTokens = (text: string, tokens: number): string => text.slice(0, tokens * CHARACTERS_PER_TOKEN);
