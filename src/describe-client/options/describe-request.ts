import type { ByteStream, ImageResponse } from '../../image/index.ts';
import type { ExtraBody } from '../../internal/options/extra-body.ts';
import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';
import type { SchemaSource } from '../schema/schema-source.ts';

/**
 * Bytes of an image, in any form that Node has for them. A stream or the body of a `Response` is read once, completely,
 * within the limits of `images`.
 */
export type ImageBytes = Uint8Array | ArrayBuffer | Blob | ByteStream | ImageResponse;

/** The detail with which the model sees an image; `low` is the cheapest. */
export type ImageDetail = 'low' | 'high' | 'auto';

/** How a call uses the cache, as in fetch. */
export type CacheMode = 'default' | 'no-store' | 'reload' | 'only-if-cached';

/** Everything of a request but its image. */
export interface DescribeOptions<Data = unknown> {
  /** The question about the image. @defaultValue the client's `prompt` */
  readonly prompt?: string | undefined;
  /** Model that is asked; at most 256 characters. @defaultValue the client's `model` */
  readonly model?: string | undefined;
  /** How much of the image the model looks at; `low` is the cheapest. @defaultValue the client's `detail` */
  readonly detail?: ImageDetail | undefined;
  /**
   * Most tokens of the answer, at least 1. A longer answer is `DESCRIBE_OUTPUT_TRUNCATED`, unless `onTruncated` takes
   * it. A model that reasons has headroom over them.
   * @defaultValue the client's `maxOutputTokens`
   */
  readonly maxOutputTokens?: number | undefined;
  /** Instructions before the prompt, as the system message. @defaultValue the client's `system` */
  readonly system?: string | undefined;
  /** Randomness of the answer, from 0 to 2. @defaultValue the client's `temperature` */
  readonly temperature?: number | undefined;
  /** Reasoning before the answer, billed as output. @defaultValue the client's `reasoningEffort` */
  readonly reasoningEffort?: ReasoningEffort | undefined;
  /**
   * Fields of the request's body that have no option here. They win over those of client and endpoint.
   * @defaultValue none
   */
  readonly extraBody?: ExtraBody | undefined;
  /**
   * Asks for structured data, returned as `data`: `{ name, jsonSchema, parse? }`, a schema of zod, arktype or valibot,
   * or the result of openai's `zodResponseFormat`.
   * @defaultValue none: prose
   */
  readonly schema?: SchemaSource<Data> | undefined;
  /**
   * Owner of the description, nested within the client's own `cacheScope`. At most 256 characters.
   * @defaultValue the client's `cacheScope`
   */
  readonly cacheScope?: string | undefined;
  /** Higher priorities wait less; a whole number. @defaultValue 0 */
  readonly priority?: number | undefined;
  /** Names under which `invalidateTags` finds the cached description. @defaultValue none */
  readonly tags?: readonly string[] | undefined;
  /** How long the description stays cached, in seconds, at least 1. @defaultValue the cache's `defaultTTL` */
  readonly ttlSeconds?: number | undefined;
  /** Timeout of the whole call, waits and retries included, in milliseconds. @defaultValue the client's `timeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** Ends this call at once; it rejects with the signal's reason. @defaultValue none */
  readonly signal?: AbortSignal | undefined;
  /**
   * - `default`: a cached description, else a call whose result is cached;
   * - `no-store`: always a call, and nothing is cached;
   * - `reload`: always a call, whose result is cached;
   * - `only-if-cached`: never a call; `DESCRIBE_CACHE_MISS` when nothing is cached.
   *
   * @defaultValue 'default'
   */
  readonly cache?: CacheMode | undefined;
  /**
   * What becomes of an answer that `maxOutputTokens` cut off. `'reject'`: the call fails with
   * `DESCRIBE_OUTPUT_TRUNCATED`. `'return'`: it resolves with the text so far and `truncated: true`, and nothing is
   * cached. An answer without any text, or to a `schema`, fails in both cases. Equal calls may differ in it.
   * @defaultValue 'reject'
   */
  readonly onTruncated?: 'reject' | 'return' | undefined;
  /** Returned untouched with the result; never sent or stored. @defaultValue none */
  readonly metadata?: unknown;
}

/** One image and what to do with it: exactly one of `imageUrl`, `image` and `file`. */
export interface DescribeRequest<Data = unknown> extends DescribeOptions<Data> {
  /** An http(s) URL that the API can reach, or a data URL. */
  readonly imageUrl?: string | URL | undefined;
  readonly image?: ImageBytes | undefined;
  /** Path of an image file, or its `file:` URL as an object. */
  readonly file?: string | URL | undefined;
}

/**
 * An input of `describe`: an http(s) or data URL, bytes, a stream, a `Response`, a file as a `URL` object with `file:`,
 * or a whole request.
 */
export type DescribeInput<Data = unknown> = string | URL | ImageBytes | DescribeRequest<Data>;

/** Options that ask for structured data. */
export interface StructuredOptions<Data = unknown> extends DescribeOptions<Data> {
  readonly schema: SchemaSource<Data>;
}

/** A request that asks for structured data. */
export interface StructuredRequest<Data = unknown> extends DescribeRequest<Data> {
  readonly schema: SchemaSource<Data>;
}
