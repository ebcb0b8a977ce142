/** Tokens that were billed. */
export interface VisionUsage {
  /** The whole prompt, the part from the API's own prompt cache included. */
  readonly promptTokens: number;
  /** The part that the API found in its own prompt cache, at a lower price; absent where there is none. */
  readonly cachedPromptTokens?: number;
  /** The part that it wrote into that cache, at a higher price; absent where the API reports none. */
  readonly cacheWritePromptTokens?: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
}
