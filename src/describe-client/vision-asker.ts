import type {
  VisionChatCompletion,
  VisionDescriptionBatchProcessor,
  VisionRequest,
  VisionSender,
  VisionUsage,
} from '../batch-processor/index.ts';
import { requestIdOf, singleAnswer } from '../batch-processor/pack-answer.ts';
import { singleRequest } from '../batch-processor/pack-request.ts';
import { addUsage, usageOf } from '../batch-processor/vision-usage.ts';
import { InlineBytes } from '../http/encode-json.ts';
import type { LoadedImage } from '../image/index.ts';
import { estimateCall } from '../openai/estimate.ts';
import { estimateImageTokens, mostImageTokens } from '../openai/image-tokens.ts';
import type { ModelCatalog } from '../openai/model-catalog.ts';
import type { CallBounds } from './call-bounds.ts';
import { type CallTrace, sharedSink } from './call-trace.ts';
import type { NormalisedRequest } from './normalise-request.ts';
import type { UpstreamCaller } from './upstream-caller.ts';

/** What the API said of one image. */
export interface Answer {
  /** The text; with a schema, its JSON text. */
  readonly description: string;
  /** The parsed answer as the schema's `parse` gave it; present with a schema only. */
  readonly data?: unknown;
  readonly model: string;
  readonly usage?: VisionUsage | undefined;
  readonly requestId?: string | undefined;
}

/** Asks the API about one image. */
export type AskVision = (
  image: LoadedImage,
  request: NormalisedRequest,
  bounds: CallBounds,
  trace: CallTrace,
) => Promise<Answer>;

/** One request an image. */
export const askSingly =
  (caller: UpstreamCaller, catalog: ModelCatalog): AskVision =>
  async (image, request, { signal, deadlineAtMs }, trace) => {
    // The caller encodes the bytes right into the body; the request only ever travels encoded.
    const inline = image.kind === 'url' ? image.url : new InlineBytes(image.bytes, image.mediaType);
    const { priority, timeoutMs, schema } = request;
    trace.leaves(1);
    let spent: VisionUsage | undefined;
    return caller.send(
      singleRequest(request, inline as string),
      (completion) => {
        // An answer of no use was billed too.
        const usage = usageOf(completion);
        if (usage !== undefined) spent = addUsage(spent, usage);
        const { description, data } = singleAnswer(completion, schema);
        return {
          description,
          data,
          model: typeof completion.model === 'string' ? completion.model : request.model,
          usage: spent,
          requestId: requestIdOf(completion),
        };
      },
      { signal, priority, timeoutMs, deadlineAtMs, trace, tokens: tokensOfCall(image, request, catalog) },
    );
  };

/** Singly or in packs, as `decide` says for each image. */
export const askEither =
  (
    singly: AskVision,
    packed: AskVision,
    decide: (image: LoadedImage, request: NormalisedRequest) => boolean,
  ): AskVision =>
  (image, request, bounds, trace) =>
    (decide(image, request) ? packed : singly)(image, request, bounds, trace);

/** Tokens of a call by the size of its image, or by the bound of its model where only the address is known. */
export function tokensOfCall(
  image: LoadedImage,
  { model, detail, prompt, maxOutputTokens, schema }: NormalisedRequest,
  catalog: ModelCatalog,
): number {
  const size = image.kind === 'url' ? undefined : { width: image.width, height: image.height };
  const call = { model, detail, prompt, jsonSchema: schema?.jsonSchema, maxOutputTokens, images: [size] };
  return estimateCall(call, catalog).reservedTokens;
}

/** What a request of the batch processor belongs to. */
interface BatchedCall {
  readonly image: LoadedImage;
  readonly request: NormalisedRequest;
  readonly bounds: CallBounds;
  readonly trace: CallTrace;
}

/** Of an image that was given to the processor directly: about a photograph at low detail. */
const UNKNOWN_IMAGE_TOKENS = 1000;

/** Several images a request: joins the batch processor to the caller that sends for it. */
export class BatchedVision {
  readonly #calls = new WeakMap<VisionRequest, BatchedCall>();
  readonly #caller: UpstreamCaller;
  readonly #catalog: ModelCatalog | undefined;
  readonly #timeoutMs: number;

  constructor(
    caller: UpstreamCaller,
    catalog: ModelCatalog | undefined,
    { timeoutMs }: { readonly timeoutMs: number },
  ) {
    this.#caller = caller;
    this.#catalog = catalog;
    this.#timeoutMs = timeoutMs;
  }

  /** The processor's way out. A pack has the priority and the patience of the most demanding call in it. */
  readonly sender: VisionSender = {
    send: (chatRequest, { signal, requests }) => {
      const calls = requests.flatMap((request) => this.#calls.get(request) ?? []);
      for (const { trace } of calls) trace.leaves(calls.length);
      // A pack's content is judged by the processor, which asks again for what is missing; a lone image has nobody else.
      const [only] = requests;
      const read = (completion: VisionChatCompletion) => {
        if (requests.length === 1) singleAnswer(completion, only?.schema);
        return completion;
      };
      // Who uses the client's processor directly has no call here: its images go with the client's own patience.
      const direct = calls.length === 0;
      return this.#caller.send(chatRequest, read, {
        signal,
        tokens: requests.reduce((sum, request) => sum + this.#tokensOf(request), 0),
        priority: direct ? 0 : Math.max(...calls.map(({ request }) => request.priority)),
        timeoutMs: direct ? this.#timeoutMs : Math.max(...calls.map(({ request }) => request.timeoutMs)),
        deadlineAtMs: direct
          ? Number.POSITIVE_INFINITY
          : Math.max(...calls.map(({ bounds }) => bounds.deadlineAtMs)),
        trace: sharedSink(calls.map(({ trace }) => trace)),
      });
    },
  };

  /** Tokens of a request's image by its size; by the bound of its model where only its address is known. */
  readonly estimateTokens = (request: VisionRequest): number => {
    const call = this.#calls.get(request);
    if (call === undefined) return UNKNOWN_IMAGE_TOKENS;
    const { model, detail } = call.request;
    const catalog = this.#catalog;
    return call.image.kind === 'url'
      ? mostImageTokens({ model, detail, catalog })
      : estimateImageTokens({ model, detail, catalog, width: call.image.width, height: call.image.height });
  };

  /** Tokens that a limit counts for a request, its answer included. */
  #tokensOf(request: VisionRequest): number {
    const call = this.#calls.get(request);
    if (call === undefined || this.#catalog === undefined) return UNKNOWN_IMAGE_TOKENS;
    return tokensOfCall(call.image, call.request, this.#catalog);
  }

  readonly ask =
    (processor: VisionDescriptionBatchProcessor): AskVision =>
    async (image, request, bounds, trace) => {
      const { prompt, model, detail, maxOutputTokens, schema, priority } = request;
      const location = image.kind === 'url' ? { imageUrl: image.url } : { image: image.bytes };
      const visionRequest: VisionRequest = { ...location, prompt, model, detail, maxOutputTokens, schema };
      this.#calls.set(visionRequest, { image, request, bounds, trace });
      trace.queued();
      return processor.process(visionRequest, { signal: bounds.signal, priority });
    };
}
