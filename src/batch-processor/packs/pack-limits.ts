import type { VisionItem } from './vision-request.ts';

/** Limits of one request, by estimate. */
export interface PackLimits {
  /** Most tokens, images by estimate and answers by their bound. */
  readonly maxPackTokens: number;
  /** Most bytes of images, as sent. */
  readonly maxPackBytes: number;
}

export const PACK_LIMITS = {
  maxPackTokens: 100_000,
  maxPackBytes: 20 * 1024 * 1024,
} as const satisfies PackLimits;

/** The larger of the shares that an image takes of the two budgets. */
export const packShare = (
  { imageTokens, maxOutputTokens, imageBytes }: Pick<VisionItem, 'imageTokens' | 'maxOutputTokens' | 'imageBytes'>,
  { maxPackTokens, maxPackBytes }: PackLimits,
): number => Math.max((imageTokens + maxOutputTokens) / maxPackTokens, imageBytes / maxPackBytes);
