import type {
  VisionChatCompletion,
  VisionChatRequest,
  VisionDescriptionBatchProcessor,
  VisionRequest,
  VisionSender,
} from '../../batch-processor/index.ts';
import { descriptionAsStreamed } from '../../batch-processor/packs/answer-deltas.ts';
import { singleAnswer } from '../../batch-processor/packs/pack-answer.ts';
import { singleRequest } from '../../batch-processor/packs/pack-request.ts';
import { type VisionFault, visionFaultOf } from '../../batch-processor/packs/vision-fault.ts';
import { notifyBilled, onBilled } from '../../batch-processor/packs/vision-usage.ts';
import { InlineBytes } from '../../http/encoding/encode-json.ts';
import type { LoadedImage } from '../../image/index.ts';
import { childController } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import { tokensOfCall } from '../../openai/models/call-estimate.ts';
import { reservedImageTokens } from '../../openai/models/image-tokens.ts';
import type { ModelCatalog } from '../../openai/models/model-catalog.ts';
import type { NormalisedRequest } from '../options/request-spec.ts';
import type { EndWait, PackingAdvisor } from '../packing/packing-advisor.ts';
import { estimateOf } from '../packing/packing-cost.ts';
import { schemaOf, textOf } from '../packing/planned-packs.ts';
import { type CallTrace, sharedSink } from './call-trace.ts';
import type { DeltaLog } from './delta-log.ts';
import type { SendRequest } from './pipeline.ts';
import type { PriceOf } from './pricing.ts';
import type { PricedFacts, RetryTally } from './stage.ts';

/** The answer of the API for one image. */
export interface Answer {
  /** The text; with a schema, its JSON text. */
  readonly description: string;
  /** The parsed answer as the schema's `parse` gave it; present with a schema only. */
  readonly data?: unknown;
  readonly model: string;
  readonly requestId?: string | undefined;
}

/** The bounds of one call to the API: the call's signal and its deadline. */
export interface AskBounds {
  readonly signal: AbortSignal;
  readonly deadlineAtMs: number;
  /** Retries of its request. All forms of its image share one limit. */
  readonly retries?: RetryTally | undefined;
  /** Gets the answer as it arrives, where a caller wants it streamed. */
  readonly log?: DeltaLog | undefined;
}

/** Gets the API's answer about one image. */
export type AskVision = (
  image: LoadedImage,
  request: NormalisedRequest,
  bounds: AskBounds,
  trace: CallTrace,
  /** Begins its waits in the router's queue in place of the trace, when it is sent alone. */
  waits?: () => EndWait,
) => Promise<Answer>;

/** One request for each image. */
export const askSingly =
  (send: SendRequest, catalog: ModelCatalog): AskVision =>
  (image, request, { signal, deadlineAtMs, retries, log }, trace, waits = () => trace.waits()) => {
    // The bytes are encoded right into the body. The request is sent only in encoded form.
    const inline = image.kind === 'url' ? image.url : new InlineBytes(image.bytes, image.mediaType);
    const { priority, timeoutMs, schema, maxOutputTokens } = request;
    trace.leaves(1);
    const single = singleRequest(request, inline as string);
    return send(
      log === undefined ? single : { ...single, stream_options: { include_usage: true } },
      (completion, { usage, costUsd, model, requestId }): Answer => {
        // Useless answers are billed too.
        if (usage !== undefined) trace.billed(usage, costUsd);
        const { description, data } = singleAnswer(completion, schema, { model, requestId, maxOutputTokens });
        const streamed = log === undefined ? description : descriptionAsStreamed(log.text, description);
        return { description: streamed, data, model, requestId };
      },
      {
        signal,
        priority,
        timeoutMs,
        deadlineAtMs,
        trace,
        waits,
        retries: retries === undefined ? [] : [retries],
        deltas: log,
        tokens: estimateOf(image, request, catalog).reservedTokens,
      },
    );
  };

/** The call that a request of the batch processor belongs to. */
interface BatchedCall {
  readonly image: LoadedImage;
  readonly request: NormalisedRequest;
  readonly bounds: AskBounds;
  readonly trace: CallTrace;
}

/** For an image that the processor got directly: about a photograph at low detail. */
const UNKNOWN_IMAGE_TOKENS = 1000;

/** Ends the wait of a pack whose images should be sent alone. */
const UNPACKS = Symbol('unpacks');

/** The part that is to blame for a failed request of the processor. */
export const faultOf = (error: unknown): VisionFault => (error === UNPACKS ? 'size' : visionFaultOf(error));

export interface BatchedVisionParts {
  readonly send: SendRequest;
  readonly catalog: ModelCatalog | undefined;
  readonly clock: Clock;
  readonly priceOf: PriceOf;
  /** Timeout of images that the processor got directly, in milliseconds. */
  readonly timeoutMs: number;
  /** Follows packs through the router's queue. */
  readonly advisor: Pick<PackingAdvisor, 'follow'>;
  /** Whether the images of a pack should be sent alone. */
  readonly isUnpackingAdvised: (image: LoadedImage, request: NormalisedRequest) => boolean;
  /** Whether a request that left the router's queue lets the next batch start: then the router bounds what runs. */
  readonly yieldsPlace: (model: string) => boolean;
}

/** Several images a request: joins the batch processor to the calls that it sends for. */
export class BatchedVision {
  readonly #calls = new WeakMap<VisionRequest, BatchedCall>();
  readonly #parts: BatchedVisionParts;

  constructor(parts: BatchedVisionParts) {
    this.#parts = parts;
  }

  /** Sends for the processor. A pack has the highest priority and the latest deadline of its calls. */
  readonly sender: VisionSender = {
    takesInlineBytes: true,
    send: (chatRequest, { signal, requests, yieldPlace }) => {
      const calls = requests.flatMap((request) => this.#calls.get(request) ?? []);
      for (const { trace } of calls) trace.leaves(requests.length);
      // The processor judges the content of a pack and requests missing answers again. A single image is judged here.
      const [only] = requests;
      const read = (completion: VisionChatCompletion, { usage, model, requestId }: PricedFacts) => {
        if (only === undefined || requests.length > 1) return completion;
        const { schema, maxOutputTokens = 0 } = only;
        try {
          singleAnswer(completion, schema, { model, requestId, maxOutputTokens });
        } catch (error) {
          // The processor charges the answers that reach it. A useless answer does not reach it.
          if (usage !== undefined) notifyBilled(only, usage, completion.model);
          throw error;
        }
        return completion;
      };
      const { send, clock, timeoutMs: ownTimeoutMs, advisor, isUnpackingAdvised, yieldsPlace } = this.#parts;
      const { priority, timeoutMs, deadlineAtMs } = mostDemanding(calls);
      // An image that the processor got directly has no call here. It gets the client's timeout.
      const direct = calls.length < requests.length;
      const child = childController(signal);
      const [first] = calls;
      const look = () => {
        if (requests.length > 1 && first && isUnpackingAdvised(first.image, first.request)) child.abort(UNPACKS);
      };
      const { model } = chatRequest;
      const trace = sharedSink(calls.map((call) => call.trace));
      const followed = advisor.follow({
        model,
        waits: trace.waits,
        look,
        onLeft: () => {
          if (yieldsPlace(model)) yieldPlace();
        },
      });
      const sent = send(chatRequest, read, {
        signal: child.signal,
        retries: direct ? [] : calls.flatMap(({ bounds }) => bounds.retries ?? []),
        tokens: this.#tokensOf(chatRequest, requests),
        priority: direct ? Math.max(0, priority) : priority,
        timeoutMs: direct ? Math.max(ownTimeoutMs, timeoutMs) : timeoutMs,
        deadlineAtMs: direct ? Math.max(clock.now() + ownTimeoutMs, deadlineAtMs) : deadlineAtMs,
        trace,
        waits: followed.waits,
      });
      return sent.finally(() => {
        followed.end();
        child.detach();
      });
    },
  };

  /** Tokens of a request's image by its size. They are the most of its model where only the address is known. */
  readonly estimateTokens = (request: VisionRequest): number => {
    const call = this.#calls.get(request);
    if (call === undefined) return UNKNOWN_IMAGE_TOKENS;
    const { model, detail } = call.request;
    const { catalog } = this.#parts;
    const size = call.image.kind === 'url' ? undefined : call.image;
    return reservedImageTokens({ model, detail, catalog }, size);
  };

  /** Tokens that a limit counts for a request: its texts and images, or the output limit if that is larger. */
  #tokensOf(chatRequest: VisionChatRequest, requests: readonly VisionRequest[]): number {
    const { inputTokens, reservedTokens } = tokensOfCall(
      {
        model: chatRequest.model,
        images: [],
        prompt: textOf(chatRequest),
        jsonSchema: schemaOf(chatRequest),
        maxOutputTokens: chatRequest.max_completion_tokens ?? 0,
        reasoningEffort: chatRequest.reasoning_effort ?? undefined,
      },
      this.#parts.catalog,
    );
    let images = 0;
    for (const request of requests) images += this.estimateTokens(request);
    return Math.max(inputTokens + images, reservedTokens);
  }

  readonly ask =
    (processor: VisionDescriptionBatchProcessor): AskVision =>
    async (image, request, bounds, trace) => {
      const { prompt, model, detail, maxOutputTokens, schema, scope, priority } = request;
      const { system, temperature, reasoningEffort, extraBody } = request;
      const location = image.kind === 'url' ? { imageUrl: image.url } : { image: image.bytes };
      const visionRequest: VisionRequest = {
        ...location,
        prompt,
        model,
        detail,
        maxOutputTokens,
        schema,
        scope,
        system,
        temperature,
        reasoningEffort,
        extraBody,
      };
      const { priceOf } = this.#parts;
      this.#calls.set(visionRequest, { image, request, bounds, trace });
      onBilled(visionRequest, (usage, answered) => {
        trace.billed(usage, priceOf(typeof answered === 'string' ? answered : model, model, usage));
      });
      trace.queued();
      return processor.process(visionRequest, { signal: bounds.signal, priority });
    };
}

/** The highest priority and the latest deadline of these calls; the lowest values where there are none. */
function mostDemanding(calls: readonly BatchedCall[]) {
  let priority = Number.NEGATIVE_INFINITY;
  let timeoutMs = 0;
  let deadlineAtMs = Number.NEGATIVE_INFINITY;
  for (const { request, bounds } of calls) {
    priority = Math.max(priority, request.priority);
    timeoutMs = Math.max(timeoutMs, request.timeoutMs);
    deadlineAtMs = Math.max(deadlineAtMs, bounds.deadlineAtMs);
  }
  return { priority, timeoutMs, deadlineAtMs };
}
