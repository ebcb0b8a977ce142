import type { VisionItem } from './vision-request.ts';

/** Limits of one request, compared with estimates. */
export interface PackLimits {
  /** Most tokens: images by estimate, answers by their output limit. */
  readonly maxPackTokens: number;
  /** Most bytes of images, as sent. */
  readonly maxPackBytes: number;
}

export const PACK_LIMITS = {
  maxPackTokens: 100_000,
  maxPackBytes: 20 * 1024 * 1024,
} as const satisfies PackLimits;

/** The larger one of the image's shares of the two limits. */
export const packShare = (
  { imageTokens, maxOutputTokens, imageBytes }: Pick<VisionItem, 'imageTokens' | 'maxOutputTokens' | 'imageBytes'>,
  { maxPackTokens, maxPackBytes }: PackLimits,
): number => Math.max((imageTokens + maxOutputTokens) / maxPackTokens, imageBytes / maxPackBytes);
