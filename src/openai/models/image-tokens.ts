import { type ModelCatalog, modelCatalog, REQUEST_LIMITS } from './model-catalog.ts';
import type { ImageDetail, ImageSizing, PatchLimits, PatchSizing } from './model-entry.ts';

const PATCH_PX = 32;
const TILE_PX = 512;
const TILE_MAX_SIDE_PX = 2_048;
const TILE_SHORT_SIDE_PX = 768;

/** Size of an image in pixels, as shown. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

export interface ImageTokensRequest extends ImageSize {
  readonly model: string;
  /** @defaultValue 'auto' */
  readonly detail?: ImageDetail | undefined;
  /** @defaultValue the built-in models */
  readonly catalog?: ModelCatalog | undefined;
}

/** The reservation for a model that the catalog lacks: the most expensive of the common rules. No estimate shows it. */
const RESERVED_SIZING: ImageSizing = {
  kind: 'patch',
  multiplier: 1.62,
  details: { high: { maxSidePx: 2_048, maxPatches: 6_144 } },
};

/**
 * Input tokens that one image costs, by the rule of its model; `undefined` for a model that the catalog lacks.
 *
 * @example
 * ```ts
 * import { estimateImageTokens } from '@describe-it/sdk/openai';
 *
 * estimateImageTokens({ model: 'gpt-4o', width: 1024, height: 1024, detail: 'high' }); // 765
 * ```
 */
export function estimateImageTokens({
  model,
  width,
  height,
  detail = 'auto',
  catalog = modelCatalog,
}: ImageTokensRequest): number | undefined {
  const entry = catalog.find(model);
  return entry && tokensOfImage(entry.sizing, { width, height }, detail);
}

/**
 * Most tokens that an image of unknown size can cost, such as one that is passed on as a URL. `undefined` for a model
 * that the catalog lacks.
 */
export function mostImageTokens({
  model,
  detail = 'auto',
  catalog = modelCatalog,
}: Omit<ImageTokensRequest, keyof ImageSize>): number | undefined {
  const entry = catalog.find(model);
  return entry && tokensOfImage(entry.sizing, undefined, detail);
}

/** Tokens to reserve for an image of that size, or of unknown size; a number for every model. */
export const reservedImageTokens = (
  { model, detail = 'auto', catalog = modelCatalog }: Omit<ImageTokensRequest, keyof ImageSize>,
  size: ImageSize | undefined,
): number => tokensOfImage(catalog.find(model)?.sizing ?? RESERVED_SIZING, size, detail);

/** Tokens of an image by a rule. An image of unknown size counts as the largest. */
function tokensOfImage(sizing: ImageSizing, size: ImageSize | undefined, detail: ImageDetail): number {
  if (sizing.kind === 'patch') {
    const limits = patchLimits(sizing, detail);
    return billed(size === undefined ? mostPatches(limits) : countPatches(size, limits), sizing.multiplier);
  }
  if (detail === 'low') return sizing.baseTokens;
  return sizing.baseTokens + (size === undefined ? MOST_TILES : countTiles(size)) * sizing.tileTokens;
}

/** Two tiles across a short side of 768, four along a long side of 2,048. */
const MOST_TILES = 8;

const mostPatches = ({ maxSidePx, maxPatches = Number.POSITIVE_INFINITY }: PatchLimits): number =>
  Math.min(Math.ceil(maxSidePx / PATCH_PX) ** 2, maxPatches, REQUEST_LIMITS.maxPatchesPerImage);

const patchLimits = ({ details }: PatchSizing, detail: ImageDetail): PatchLimits =>
  (Object.hasOwn(details, detail) ? details[detail] : undefined) ?? details.high;

/** 2,500 times 1.2 is 3,000 and not 3,000.0000000000005, so the product is rounded before it is rounded up. */
const billed = (patches: number, multiplier: number) => Math.ceil(Math.round(patches * multiplier * 1e6) / 1e6);

/**
 * Counts the patches of an image that is scaled into its bounds. Above the budget, the image is scaled to fit, so that
 * one side is a whole number of patches (OpenAI's images guide, "Calculating costs").
 */
export function countPatches(size: ImageSize, { maxSidePx, maxPatches }: PatchLimits): number {
  const { width, height } = fitInto(size, maxSidePx);
  const patches = patchesOf(width, height);
  if (maxPatches === undefined || patches <= maxPatches) return patches;
  const scale = Math.sqrt((PATCH_PX ** 2 * maxPatches) / (width * height));
  const across = (width * scale) / PATCH_PX;
  const down = (height * scale) / PATCH_PX;
  const adjusted = scale * Math.min(Math.floor(across) / across, Math.floor(down) / down);
  // An image thinner than a patch would be scaled to nothing, so it fills the budget.
  if (adjusted === 0) return maxPatches;
  return Math.min(maxPatches, patchesOf(floorPixels(width * adjusted), floorPixels(height * adjusted)));
}

const patchesOf = (width: number, height: number) => Math.ceil(width / PATCH_PX) * Math.ceil(height / PATCH_PX);

/** 1,056 may come out as 1,055.9999999999998. */
const floorPixels = (pixels: number) => Math.max(1, Math.floor(pixels + 1e-6));

/** Tiles after fitting into 2,048 squared and then scaling the short side to 768. Nothing is enlarged. */
function countTiles(size: ImageSize): number {
  const fitted = fitInto(size, TILE_MAX_SIDE_PX);
  const scale = Math.min(1, TILE_SHORT_SIDE_PX / Math.min(fitted.width, fitted.height));
  const across = floorPixels(fitted.width * scale);
  const down = floorPixels(fitted.height * scale);
  return Math.ceil(across / TILE_PX) * Math.ceil(down / TILE_PX);
}

function fitInto({ width, height }: ImageSize, maxSidePx: number): ImageSize {
  const scale = Math.min(1, maxSidePx / Math.max(width, height));
  if (scale === 1) return { width, height };
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
