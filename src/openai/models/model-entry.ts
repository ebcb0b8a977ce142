import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';

/** The detail with which a model sees an image. */
export type ImageDetail = 'low' | 'high' | 'original' | 'auto';

/** Bounds of one detail level of a patch model; an image beyond them is scaled down first. */
export interface PatchLimits {
  /** Longest side in pixels. */
  readonly maxSidePx: number;
  /** Most 32-pixel patches; absent where the model has no such budget. */
  readonly maxPatches?: number;
}

/** Models that cover an image with patches of 32 by 32 pixels. */
export interface PatchSizing {
  readonly kind: 'patch';
  /** Billed tokens a patch. */
  readonly multiplier: number;
  /**
   * Bounds by detail level. A level that is absent is not supported and is billed as `high`. So only the models with
   * `original` here accept it.
   */
  readonly details: { readonly [Detail in ImageDetail]?: PatchLimits } & { readonly high: PatchLimits };
}

/** Models that cover an image with tiles of 512 by 512 pixels; `low` costs the base alone. */
export interface TileSizing {
  readonly kind: 'tile';
  readonly baseTokens: number;
  readonly tileTokens: number;
}

export type ImageSizing = PatchSizing | TileSizing;

/** Where a number comes from, so that it can be checked and corrected. */
export interface Provenance {
  readonly source: string;
  /** Day on which we read the source, `YYYY-MM-DD`. */
  readonly readOn: string;
  /** Set where the source is silent, contradicts another, or announced a change. */
  readonly uncertain?: string;
}

/** US dollars a million tokens, at the standard tier. */
export interface ModelPrice {
  readonly input: number;
  /** Input that the API found in its prompt cache. @defaultValue `input` */
  readonly cachedInput?: number;
  /** Input that the API writes into its prompt cache; dearer than `input` from gpt-5.6 on. @defaultValue `input` */
  readonly cacheWrite?: number;
  readonly output: number;
  /** Rates of a request whose whole input is longer than `aboveInputTokens`. */
  readonly longContext?: {
    readonly aboveInputTokens: number;
    readonly input: number;
    readonly cachedInput?: number;
    readonly cacheWrite?: number;
    readonly output: number;
  };
  readonly provenance: Provenance;
}

/** Limits of one request. */
export interface ModelLimits {
  /** Tokens of input and output together. */
  readonly contextTokens: number;
  /** Most tokens of an answer. */
  readonly maxOutputTokens: number;
  readonly provenance: Provenance;
}

/**
 * When a model accepts a `temperature` other than 1. `without-reasoning` means at effort `none` only. A request has
 * that effort by naming it, or by the model's default.
 */
export type TemperatureSupport = 'always' | 'without-reasoning' | 'never';

/** The data of one model. */
export interface ModelEntry {
  /** Models of one family share a tokenizer rule and usually a quota. */
  readonly family: string;
  readonly sizing: ImageSizing;
  readonly sizingProvenance: Provenance;
  /** Absent where no price is published. Its calls have no `costUsd`, and an estimate counts them as unpriced. */
  readonly price?: ModelPrice;
  readonly limits?: ModelLimits;
  /**
   * Efforts that it accepts, the lowest first. A request that names none is sent with the first. Absent for a model
   * that does not reason.
   */
  readonly reasoningEfforts?: readonly ReasoningEffort[];
  /** The effort that the API uses for a request that names none. Absent where it is unknown. */
  readonly defaultEffort?: ReasoningEffort;
  /**
   * Tokens over `maxOutputTokens` in the output limit that is sent, for the reasoning before the text.
   * @defaultValue 1024 where the model reasons
   */
  readonly reasoningHeadroomTokens?: number;
  /** Absent where it is unknown. */
  readonly temperature?: TemperatureSupport;
  /** Whether it accepts `service_tier: 'flex'`, at half the price. Absent where it is unknown. */
  readonly flex?: boolean;
  /**
   * Day from which OpenAI no longer serves it, `YYYY-MM-DD`; other servers may. Absent where none is announced.
   */
  readonly shutdownOn?: string;
}
