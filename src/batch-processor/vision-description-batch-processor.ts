import { ADDRESS_GUARD_SPEC, AddressGuard, type AddressGuardOptions } from '../http/guard/address-guard.ts';
import {
  boundedText,
  callable,
  checkOptions,
  integer,
  MAX_MODEL_LENGTH,
  nonEmptyText,
  type OptionChecks,
  oneOf,
  shape,
} from '../internal/options/option-checks.ts';
import { withDefault } from '../internal/options/option-spec.ts';
import { callOptions } from '../internal/options/own-options.ts';
import { BatchProcessor, type ProcessOptions } from './batch-processor.ts';
import { BATCH_SPEC, type BatchProcessorOptions, batchRetryOption } from './batch-processor-options.ts';
import { PACK_LIMITS, packShare } from './packs/pack-limits.ts';
import { PackSolver } from './packs/pack-solver.ts';
import type { VisionFault } from './packs/vision-fault.ts';
import { type VisionDefaults, visionItem } from './packs/vision-item.ts';
import type { VisionDescription, VisionItem, VisionRequest } from './packs/vision-request.ts';
import { isSender, type VisionTarget, visionSend } from './packs/vision-target.ts';

export interface VisionDescriptionBatchOptions
  extends Omit<BatchProcessorOptions<VisionRequest>, 'weigh' | 'maxBatchWeight' | 'groupBy'> {
  /** Retry of the images that failed; `false` for none. @defaultValue on, 3 attempts */
  readonly retry?: BatchProcessorOptions<VisionRequest>['retry'];
  /** Model of requests that name none. @defaultValue 'gpt-4.1-mini' */
  readonly model?: string | undefined;
  /** Prompt of requests that have none. @defaultValue 'Describe this image.' */
  readonly prompt?: string | undefined;
  /** Detail of requests that name none. @defaultValue 'low' */
  readonly detail?: 'low' | 'high' | 'auto' | undefined;
  /** Most tokens of one image's answer, for requests that set none; at least 1. @defaultValue 300 */
  readonly maxOutputTokens?: number | undefined;
  /**
   * Most tokens of a request: images by estimate, answers by their output limit; a whole number of at least 1.
   * @defaultValue 100000
   */
  readonly maxPackTokens?: number | undefined;
  /** Most bytes of a request's images, as sent; a whole number of at least 1. @defaultValue 20971520 */
  readonly maxPackBytes?: number | undefined;
  /** Estimates the tokens of a request's image, at least 0. @defaultValue 300 for detail low, else 2500 */
  readonly estimateTokens?: ((request: VisionRequest) => number) | undefined;
  /**
   * Hosts whose addresses are passed on to the API; nothing is requested or looked up.
   * @defaultValue public hosts; all of them where the target is `{ send }`, which sees every request
   */
  readonly images?: AddressGuardOptions | undefined;
  /**
   * Tells the part of a failed request that is to blame: one image (`'item'`), all of them together (`'size'`) or none
   * (`'pack'`). An error that it throws counts as `'pack'`.
   * @defaultValue by the error's code, or by status and code of the API's error
   */
  readonly classify?: ((error: unknown) => VisionFault) | undefined;
}

const { weigh: _weigh, maxBatchWeight: _maxBatchWeight, groupBy: _groupBy, ...SHARED_SPEC } = BATCH_SPEC;

export const VISION_BATCH_SPEC = {
  ...SHARED_SPEC,
  retry: withDefault(batchRetryOption, {}),
  model: withDefault(boundedText(MAX_MODEL_LENGTH), 'gpt-4.1-mini'),
  prompt: withDefault(nonEmptyText(), 'Describe this image.'),
  detail: withDefault(oneOf('low', 'high', 'auto'), 'low'),
  maxOutputTokens: withDefault(integer({ min: 1 }), 300),
  maxPackTokens: withDefault(integer({ min: 1 }), PACK_LIMITS.maxPackTokens),
  maxPackBytes: withDefault(integer({ min: 1 }), PACK_LIMITS.maxPackBytes),
  estimateTokens: callable(),
  images: shape(ADDRESS_GUARD_SPEC),
  classify: callable(),
} satisfies OptionChecks<VisionDescriptionBatchOptions>;

/**
 * Describes images with few requests: images that share model, prompt, detail, output limit and schema go into one.
 * Each caller gets the description of its own image, or its own error. An image whose answer is missing or in doubt is
 * requested again alone. An image that the API rejects fails alone.
 *
 * @example
 * ```ts
 * import OpenAI from 'openai';
 * import { VisionDescriptionBatchProcessor } from '@describe-it/sdk/batch-processor';
 *
 * const vision = new VisionDescriptionBatchProcessor(new OpenAI(), { batchSize: 8, maxBatchWaitMs: 100 });
 * const describe = async (imageUrl: string) => {
 *   const { description } = await vision.process({ imageUrl, prompt: 'Describe this image' });
 *   return description;
 * };
 * ```
 */
export class VisionDescriptionBatchProcessor extends BatchProcessor<VisionRequest, VisionDescription> {
  readonly #defaults: VisionDefaults;

  /**
   * `target` sends the requests: an `OpenAI` client, a lease (which is given back at once: the processor borrows from
   * its pool), a pool, or `{ send }`. Failed images are tried again (`retry`, 3 attempts by default) unless `retry` is
   * `false`.
   * @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option.
   */
  constructor(target: VisionTarget, options: VisionDescriptionBatchOptions = {}) {
    // Before anything else: a lease is handed over here, and must not stay lent when an option is wrong.
    const send = visionSend(target);
    const own = checkOptions('VisionDescriptionBatchProcessor', options, VISION_BATCH_SPEC);
    const { model, prompt, detail, maxOutputTokens, estimateTokens, images, classify, ...rest } = own;
    const { maxPackTokens, maxPackBytes, ...batch } = rest;
    const solver = new PackSolver(send, classify);
    // Only `process` below adds items, so each is a `VisionItem`.
    super((items, context) => solver.solve(items as readonly VisionItem[], context), {
      ...batch,
      groupBy: (item) => (item as VisionItem).group,
      weigh: (item) => packShare(item as VisionItem, { maxPackTokens, maxPackBytes }),
      maxBatchWeight: 1,
    });
    this.#defaults = {
      model,
      prompt,
      detail,
      maxOutputTokens,
      estimateTokens: estimateTokens ?? ((request) => roughTokens(request.detail ?? detail)),
      inlineBytes: isSender(target) && target.takesInlineBytes === true,
      guard: images === undefined && isSender(target) ? undefined : new AddressGuard(images),
    };
  }

  /**
   * Settles with the description of this image.
   * @throws as `BatchProcessor.process`, and
   * @throws `DESCRIBE_INPUT_INVALID` for a wrong request
   * @throws `DESCRIBE_IMAGE_…` when the image can't be used
   * @throws `DESCRIBE_REFUSED` `DESCRIBE_OUTPUT_TRUNCATED` `DESCRIBE_RESPONSE_INVALID` `DESCRIBE_CONTEXT_TOO_LONG` when
   * there is no answer
   * @throws `DESCRIBE_RATE_LIMITED` `DESCRIBE_OVERLOADED` `DESCRIBE_QUOTA_EXHAUSTED` `DESCRIBE_AUTH`
   * `DESCRIBE_UPSTREAM` when the API fails
   */
  override process<Data = unknown>(
    request: VisionRequest<Data>,
    options: ProcessOptions = {},
  ): Promise<VisionDescription<Data>> {
    try {
      const item = visionItem(callOptions(request), this.#defaults);
      return super.process(item, options) as Promise<VisionDescription<Data>>;
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

// A 1024² image: 255 to 765 tokens by tiles at low to high, up to 2,488 by patches (gpt-4.1-mini).
const roughTokens = (detail: 'low' | 'high' | 'auto') => (detail === 'low' ? 300 : 2_500);
