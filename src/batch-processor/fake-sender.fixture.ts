import { raceSignal } from '../internal/async/signals.ts';
import type { VisionChatCompletion, VisionChatRequest, VisionSendContext } from './packs/vision-target.ts';

/** One answer item of a pack, as a fault may change it. */
export interface FakeItem {
  id: string;
  text?: string;
  data?: unknown;
}

export interface FakeCall {
  readonly urls: readonly string[];
  readonly request: VisionChatRequest;
  readonly context: VisionSendContext;
}

/** A fault of a test: throws, answers, or changes the items of a pack's answer. */
export type FakeFault = (
  call: FakeCall,
  number: number,
) =>
  | undefined
  | {
      readonly error?: unknown;
      /** Does not answer until its signal aborts. */
      readonly hang?: boolean;
      readonly completion?: VisionChatCompletion;
      readonly items?: (items: FakeItem[]) => FakeItem[];
    };

export interface FakeSenderOptions {
  readonly fault?: FakeFault;
  readonly data?: (url: string) => unknown;
  readonly takesInlineBytes?: boolean;
}

/** Describes an image by its address, so that a mix-up shows. */
export const describeUrl = (url: string): string => `what is at ${url}`;

/** Answers requests in memory as the API would: by the schema where there is one, else with text. */
export class FakeSender {
  readonly calls: FakeCall[] = [];
  readonly usage = { promptTokens: 0, completionTokens: 0 };
  readonly takesInlineBytes: boolean | undefined;
  readonly #options: FakeSenderOptions;

  constructor(options: FakeSenderOptions = {}) {
    this.#options = options;
    this.takesInlineBytes = options.takesInlineBytes;
  }

  async send(request: VisionChatRequest, context: VisionSendContext): Promise<VisionChatCompletion> {
    const images = imagesOf(request);
    const call = { urls: images.map(({ url }) => url), request, context };
    this.calls.push(call);
    const fault = this.#options.fault?.(call, this.calls.length);
    await Promise.resolve();
    if (fault?.hang) await raceSignal(new Promise(() => {}), context.signal);
    if (fault?.error !== undefined) throw fault.error;
    if (fault?.completion !== undefined) return fault.completion;
    const [only] = images;
    const data = this.#options.data ?? describeUrl;
    const content = isPack(request)
      ? JSON.stringify({
          items: (fault?.items ?? ((items) => items))(images.map((image) => this.#item(request, image))),
        })
      : request.response_format === undefined
        ? describeUrl(only?.url ?? '')
        : JSON.stringify(data(only?.url ?? ''));
    return this.complete(content, images.length);
  }

  /** A complete answer with that text, billed 101 tokens for each image and one for each character. */
  complete(
    content: string,
    images: number,
    choice: { readonly finish_reason?: 'length' | 'content_filter'; readonly refusal?: string } = {},
  ): VisionChatCompletion {
    const usage = { prompt_tokens: 7 + 101 * images, completion_tokens: content.length, total_tokens: 0 };
    this.usage.promptTokens += usage.prompt_tokens;
    this.usage.completionTokens += usage.completion_tokens;
    usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
    const { finish_reason = 'stop', refusal = null } = choice;
    return {
      id: 'chatcmpl-fake',
      object: 'chat.completion',
      created: 0,
      model: 'fake-model-1',
      choices: [{ index: 0, finish_reason, logprobs: null, message: { role: 'assistant', content, refusal } }],
      usage,
    };
  }

  #item(request: VisionChatRequest, { id, url }: FakeImage): FakeItem {
    return JSON.stringify(request.response_format).includes('"data"')
      ? { id, data: (this.#options.data ?? describeUrl)(url) }
      : { id, text: describeUrl(url) };
  }
}

interface FakeImage {
  readonly id: string;
  readonly url: string;
}

/** A pack has an id before every image. */
const isPack = (request: VisionChatRequest) => imagesOf(request).some(({ id }) => id !== '');

export function imagesOf({ messages }: VisionChatRequest): FakeImage[] {
  const images: FakeImage[] = [];
  for (const { content } of messages) {
    if (!Array.isArray(content)) continue;
    let text = '';
    for (const part of content) {
      if (part.type === 'text') text = part.text;
      if (part.type !== 'image_url') continue;
      images.push({ id: text.match(/^id (\w+)$/)?.[1] ?? '', url: part.image_url.url });
    }
  }
  return images;
}

/** An error as the OpenAI client throws it. */
export const apiError = (status: number, code: string, more: object = {}): Error =>
  Object.assign(new Error(`${status} secret words of the request`), { status, code, ...more });
