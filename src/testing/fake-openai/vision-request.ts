import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';
import type { ImageFacts } from './image-facts.ts';
import type { ImageDetail } from './token-count.ts';
import type { FakeModel } from './token-table.ts';

/** The endpoint of a request. `other` is every URL that the server does not know. */
export type Endpoint = 'chat' | 'responses' | 'models' | 'other';

/** One piece of the prompt, in the order sent. */
export type PromptPart =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'image';
      readonly url: string;
      readonly detail: ImageDetail | undefined;
      /** Where it stands in the body, such as `messages[0].content[1].image_url.url`. */
      readonly param: string;
    };

export type JsonSchema = Readonly<Record<string, unknown>> | boolean;

/** The form that the answer must have. */
export type AnswerForm =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | { readonly type: 'json_schema'; readonly schema: JsonSchema };

/** A request of either API, read and found valid. */
export interface VisionRequest {
  readonly endpoint: 'chat' | 'responses';
  readonly modelName: string;
  readonly model: FakeModel;
  readonly parts: readonly PromptPart[];
  readonly messages: number;
  readonly maxOutputTokens: number | undefined;
  readonly form: AnswerForm;
  /** The effort that holds: the named one, or the model's own; `none` for a model that doesn't reason. */
  readonly effort: ReasoningEffort;
  readonly stream: boolean;
  /** Whether the deltas of the stream are padded, which the API does unless told otherwise. */
  readonly obfuscate: boolean;
  /** Chat: a last chunk with the usage is wanted. */
  readonly includeUsage: boolean;
  /** Chat: how many choices. */
  readonly choices: number;
  /** The fields that the answer repeats. */
  readonly echo: Readonly<Record<string, unknown>>;
}

/** An image that the server has looked at, with the words beside it. */
export interface SeenImage {
  readonly facts: ImageFacts;
  readonly detail: ImageDetail | undefined;
  /** The text part right before the image, `''` without one. */
  readonly label: string;
}
