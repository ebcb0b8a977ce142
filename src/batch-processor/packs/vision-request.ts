import type { VisionUsage } from '../../errors/vision-usage.ts';
import type { ExtraBody } from '../../internal/options/extra-body.ts';
import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';

/** A structured answer for one image. */
export interface VisionSchema<Data = unknown> {
  /** Name of the schema for the API: letters, digits, `_` and `-`, at most 64. */
  readonly name: string;
  /** JSON Schema of the answer for one image, within what the API's structured outputs support. */
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  /**
   * Turns the parsed JSON into your type, or throws where it does not match: then the image is requested again. The
   * last error is the `cause` of the failure. A `TypeError`, `ReferenceError` or `RangeError` is a mistake in its code:
   * nothing is requested again.
   */
  readonly parse?: ((value: unknown) => Data) | undefined;
}

/** Parameters of a request beside its image, prompt and limits. */
export interface VisionParameters {
  /** Instructions that stand before the prompt, as the system message. @defaultValue none */
  readonly system?: string | undefined;
  /** Randomness of the answer, from 0 to 2. @defaultValue the model's own */
  readonly temperature?: number | undefined;
  /** Reasoning before the answer; it is billed as output. @defaultValue the model's own */
  readonly reasoningEffort?: ReasoningEffort | undefined;
  /** Fields of the body that have no option here, sent as they are. */
  readonly extraBody?: ExtraBody | undefined;
}

/** One image to describe; exactly one of `imageUrl` and `image`. */
export interface VisionRequest<Data = unknown> extends VisionParameters {
  /** An http or https address, or a data URL. */
  readonly imageUrl?: string | URL | undefined;
  /** Bytes of a PNG, JPEG, WEBP or GIF. */
  readonly image?: Uint8Array | undefined;
  /** The question about the image. @defaultValue the processor's `prompt` */
  readonly prompt?: string | undefined;
  /** @defaultValue the processor's `model` */
  readonly model?: string | undefined;
  /** How closely the model looks. @defaultValue the processor's `detail` */
  readonly detail?: 'low' | 'high' | 'auto' | undefined;
  /**
   * Most tokens of this image's answer, a whole number of at least 1.
   * @defaultValue the processor's `maxOutputTokens`
   */
  readonly maxOutputTokens?: number | undefined;
  /** Asks for JSON of this schema in place of text. */
  readonly schema?: VisionSchema<Data> | undefined;
  /**
   * Owner of the image. Images of different scopes never share a request, because one could change the answer about
   * another.
   * @defaultValue one scope for all
   */
  readonly scope?: string | undefined;
}

/** One described image. */
export interface VisionDescription<Data = unknown> {
  /** The text of the answer; with a `schema`, its JSON text. */
  readonly description: string;
  /** The parsed answer, with a `schema` only. */
  readonly data?: Data;
  /** The model that answered, as the API names it. */
  readonly model: string;
  /**
   * Tokens of all requests for this image. A shared request is split by estimate, and the parts add up to the whole.
   * Absent when the API reports none.
   */
  readonly usage?: VisionUsage;
  /** The API's id of the request that answered. */
  readonly requestId?: string;
  /** Images of the request that answered. */
  readonly packSize: number;
}

/** A request with every default filled in, on its way through a processor. */
export interface VisionItem extends VisionRequest {
  /** The very object that was passed to `process`. */
  readonly request: VisionRequest;
  readonly prompt: string;
  readonly model: string;
  readonly detail: 'low' | 'high' | 'auto';
  readonly maxOutputTokens: number;
  readonly schema?: VisionSchema | undefined;
  /** Items of one group may share a request. */
  readonly group: string;
  /** Estimated tokens of the image, for budgets and for the split of usage. */
  readonly imageTokens: number;
  /** Bytes the image takes in a request. */
  readonly imageBytes: number;
  /** The image's address or data URL, encoded at most once. */
  readonly url: (signal: AbortSignal) => Promise<string>;
  /** Tokens billed for it so far, also for useless answers. */
  spent: VisionUsage | undefined;
}
