import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { ConfigError } from '../../errors/config-error.ts';
import { describeKind, hasMethods } from '../../internal/options/option-checks.ts';
import { chatCompletionIn } from '../../internal/upstream/chat-body.ts';
import type { VisionRequest } from './vision-request.ts';

export type VisionChatRequest = ChatCompletionCreateParamsNonStreaming;
export type VisionChatCompletion = ChatCompletion;

export interface VisionSendContext {
  /** Aborts when no caller waits for any of the request's images. */
  readonly signal: AbortSignal;
  /** The very objects that were passed to `process` for the images of the request, in order. */
  readonly requests: readonly VisionRequest[];
  /**
   * Lets the next request be packed and sent before this one is answered. A sender with a queue of its own calls it
   * when this request leaves that queue. `maxConcurrentBatches` then bounds the requests in the queue.
   */
  readonly yieldPlace: () => void;
}

/** Sends one request and gives its answer, or throws. */
export interface VisionSender {
  /**
   * Whether its requests may hold images as `InlineBytes` in place of their data URL, for a sender that encodes them
   * right into the body. A data URL of 20 MB stalls the event loop when it is first read.
   * @defaultValue false
   */
  readonly takesInlineBytes?: boolean | undefined;
  send(request: VisionChatRequest, context: VisionSendContext): PromiseLike<VisionChatCompletion>;
}

/** The part of an `OpenAI` client that is used. */
export interface VisionClient {
  readonly chat: {
    readonly completions: {
      create(
        request: VisionChatRequest,
        options: { readonly signal: AbortSignal; readonly maxRetries: number },
      ): PromiseLike<VisionChatCompletion>;
    };
  };
}

/**
 * A lent client. A lease of `OpenAIConnectionPool` is handed over: its connection goes back at once, and the processor
 * borrows one for each request. So a processor that is never closed holds no connection. A lease without `handOver`
 * stays lent.
 */
export interface VisionLease {
  readonly client: VisionClient;
  /** Ends the lease and gives the pool that it came from. */
  readonly handOver?: (() => VisionPool) | undefined;
}

/** A pool that lends a client for one call, such as `OpenAIConnectionPool`. */
export interface VisionPool {
  use<Result>(
    run: (client: VisionClient) => Promise<Result>,
    options: { readonly signal: AbortSignal },
  ): Promise<Result>;
}

export type VisionTarget = VisionClient | VisionLease | VisionPool | VisionSender;

export type VisionSend = VisionSender['send'];

/**
 * One way to send, for any kind of target. The client's own retries are off: only the processor retries.
 * @throws `DESCRIBE_CONFIG_INVALID` when it is none of the four.
 */
export function visionSend(target: VisionTarget): VisionSend {
  if (isSender(target)) return (request, context) => target.send(request, context);
  if (isPool(target)) return sendByPool(target);
  if (isLease(target)) {
    if (target.handOver !== undefined) return sendByPool(target.handOver());
    return (request, { signal }) => call(target.client, request, signal);
  }
  if (isClient(target)) return (request, { signal }) => call(target, request, signal);
  throw new ConfigError('VisionDescriptionBatchProcessor', [
    {
      option: 'target',
      expected: 'an OpenAI client, a lease, a pool or { send }',
      got: describeKind(target),
    },
  ]);
}

const sendByPool =
  (pool: VisionPool): VisionSend =>
  (request, { signal }) =>
    pool.use((client) => call(client, request, signal), { signal });

const call = async (client: VisionClient, request: VisionChatRequest, signal: AbortSignal) =>
  chatCompletionIn<VisionChatCompletion>(await client.chat.completions.create(request, { signal, maxRetries: 0 }));

export const isSender = (target: unknown): target is VisionSender => hasMethods(target, ['send']);
const isPool = (target: unknown): target is VisionPool => hasMethods(target, ['use']);
const isLease = (target: unknown): target is VisionLease => isClient(propertyOf(target, 'client'));
const isClient = (target: unknown): target is VisionClient =>
  hasMethods(propertyOf(propertyOf(target, 'chat'), 'completions'), ['create']);

const propertyOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
