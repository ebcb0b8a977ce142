import { copyError, setBilled } from '../../errors/copy-error.ts';
import type { DescribeError } from '../../errors/describe-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { answerNow } from '../../internal/async/user-callback.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { classifyFailure } from '../../internal/upstream/classify-failure.ts';
import type { RequestSecrets } from '../../internal/upstream/sent-request.ts';
import { isAddress } from '../../internal/upstream/sent-request.ts';
import type { BatchHandlerContext } from '../queue/batch-handler.ts';
import { answerFacts, usageOf } from './answer.ts';
import { type AnswerPart, packAnswers, singleAnswer } from './pack-answer.ts';
import { packIds, packRequest, singleRequest } from './pack-request.ts';
import { type VisionFault, visionFaultOf } from './vision-fault.ts';
import type { VisionDescription, VisionItem } from './vision-request.ts';
import type { VisionChatCompletion, VisionSend } from './vision-target.ts';
import { addUsage, notifyBilled, splitUsage, type VisionUsage } from './vision-usage.ts';

/** The end of a request: answered, or the part that is to blame for its failure. */
type Verdict = 'answered' | VisionFault;

/** Names of models come from callers, so their number is bounded. */
const MAX_PACKLESS = 100;

export type VisionClassify = (error: unknown) => VisionFault;

/**
 * Gets an answer for every image of a pack with few requests. A pack that fails because of one image is halved. After a
 * clean first half, the bad image must be in the second one, which is then not tried as a whole. So one bad image among
 * k costs at most 2·log2 k more requests.
 */
export class PackSolver {
  readonly #send: VisionSend;
  readonly #classify: VisionClassify;
  /** Models that refuse packs but not single images, because of several images or of the answer's schema. */
  readonly #packless = new BoundedMap<string, true>(MAX_PACKLESS);

  constructor(send: VisionSend, classify: VisionClassify = visionFaultOf) {
    this.#send = send;
    this.#classify = classify;
  }

  /** Solves to one result an item, in order. Never rejects. */
  async solve(
    items: readonly VisionItem[],
    context: BatchHandlerContext<VisionDescription>,
  ): Promise<(VisionDescription | Error)[]> {
    const pack = new Pack(items, context, this.#send, this.#classify);
    const indexes = items.map((_, index) => index);
    const model = kindOf(items[0]);
    if (this.#packless.get(model)) {
      await Promise.all(indexes.map((index) => pack.solve([index])));
    } else {
      await pack.solve(indexes);
      if (pack.worksAloneOnly) this.#packless.set(model, true);
    }
    return pack.results;
  }
}

/** The model, and whether the caller gave a schema. */
const kindOf = (item: VisionItem | undefined): string =>
  `${item?.schema === undefined ? 'text' : 'data'} ${item?.model}`;

class Pack {
  readonly results: (VisionDescription | Error)[] = [];
  readonly #items: readonly VisionItem[];
  readonly #context: BatchHandlerContext<VisionDescription>;
  readonly #send: VisionSend;
  readonly #classify: VisionClassify;
  #refused = false;
  #shared = false;
  #alone = 0;
  #aloneFailed = false;

  constructor(
    items: readonly VisionItem[],
    context: BatchHandlerContext<VisionDescription>,
    send: VisionSend,
    classify: VisionClassify,
  ) {
    this.#items = items;
    this.#context = context;
    this.#send = send;
    this.#classify = classify;
    this.results.length = items.length;
  }

  /** Whether every request with several images was refused, and none with one. */
  get worksAloneOnly(): boolean {
    return this.#refused && !this.#shared && !this.#aloneFailed && this.#alone > 1;
  }

  /** Whether one of these images is at fault. With `suspect` one is known to be, so they are not sent together. */
  async solve(indexes: readonly number[], suspect = false): Promise<boolean> {
    const live = indexes.filter((index) => this.#context.isLive(index));
    if (live.length === 0) return false;
    if (live.length === 1) return (await this.#ask(live)) === 'item';
    const verdict = suspect ? 'item' : await this.#ask(live);
    if (verdict === 'answered' || verdict === 'pack') return false;
    const middle = live.length >> 1;
    const [first, second] = [live.slice(0, middle), live.slice(middle)];
    if (verdict === 'size') {
      const faults = await Promise.all([this.solve(first), this.solve(second)]);
      return faults.includes(true);
    }
    const inFirst = await this.solve(first);
    await this.solve(second, !inFirst);
    return true;
  }

  /** Sends one request for these images. Images without an answer are requested again alone. */
  async #ask(indexes: readonly number[]): Promise<Verdict> {
    const signal = this.#context.signalFor(indexes);
    try {
      const missing = await this.#exchange(indexes, signal);
      await Promise.all(missing.map((index) => this.solve([index])));
      if (indexes.length > 1) this.#shared = true;
      else this.#alone += 1;
      return 'answered';
    } catch (error) {
      const fault = this.#blame(error);
      if (indexes.length === 1) this.#aloneFailed = true;
      else if (isUnexplained(error)) this.#refused = true;
      if (indexes.length === 1 || fault === 'pack') {
        const hasImageUrl = indexes.some((index) => isAddress(this.#items[index]?.imageUrl));
        const failure = classifyFailure(error, { hasImageUrl, secrets: () => this.#secretsOf(indexes) });
        for (const index of indexes) this.results[index] = withUsage(failure, this.#items[index]?.spent);
      }
      return fault;
    }
  }

  /** Sends the request and settles the images that its answer covers. Returns the others. */
  async #exchange(indexes: readonly number[], signal: AbortSignal): Promise<number[]> {
    const items = indexes.flatMap((index) => this.#items[index] ?? []);
    const urls = await Promise.all(items.map((item) => item.url(signal)));
    const { yieldPlace } = this.#context;
    const context = { signal, requests: items.map(({ request }) => request), yieldPlace };
    const [only] = items;
    if (only !== undefined && items.length === 1) {
      const completion = await this.#send(singleRequest(only, urls[0] ?? ''), context);
      charge(items, completion, []);
      this.#settle(indexes[0] ?? 0, only, singleAnswer(completion, only.schema), completion, 1);
      return [];
    }
    const ids = packIds(items.length);
    const completion = await this.#send(packRequest(items, urls, ids), context);
    const answers = readCharged(items, ids, completion);
    return indexes.filter((index, place) => {
      const item = items[place];
      const part = answers.get(ids[place] ?? '');
      if (item === undefined || part === undefined) return true;
      if (part instanceof UpstreamError) {
        this.results[index] = withUsage(part, item.spent);
        return false;
      }
      this.#settle(index, item, part, completion, items.length);
      return false;
    });
  }

  #settle(index: number, item: VisionItem, part: AnswerPart, completion: VisionChatCompletion, packSize: number): void {
    const { model, requestId } = answerFacts(completion, item.model);
    this.#context.resolve(index, {
      ...part,
      model,
      ...(item.spent === undefined ? {} : { usage: item.spent }),
      ...(requestId === undefined ? {} : { requestId }),
      packSize,
    });
  }

  /** Texts that an error's reason must not repeat. A sender that knows its key classifies its own failures. */
  #secretsOf(indexes: readonly number[]): RequestSecrets {
    const items = indexes.flatMap((index) => this.#items[index] ?? []);
    return {
      texts: [...new Set(items.map(({ prompt }) => prompt))],
      addresses: items.flatMap(({ imageUrl }) => (imageUrl === undefined ? [] : String(imageUrl))),
    };
  }

  #blame(error: unknown): VisionFault {
    return answerNow(this.#classify, error, 'pack');
  }
}

/** The same failure, with the tokens billed for the image until then. */
function withUsage(failure: DescribeError, usage: VisionUsage | undefined): DescribeError {
  if (usage === undefined) return failure;
  const own = copyError(failure);
  setBilled(own, { usage });
  return own;
}

/** Whether it is a 400 that names neither an image nor a size. */
function isUnexplained(error: unknown): boolean {
  const { status } = (error ?? {}) as { readonly status?: unknown };
  return status === 400 && classifyFailure(error).code === 'DESCRIBE_UPSTREAM';
}

/** Reads a pack's answer and charges its tokens to its items, also when it is useless. */
function readCharged(
  items: readonly VisionItem[],
  ids: readonly string[],
  completion: VisionChatCompletion,
): Map<string, AnswerPart | UpstreamError> {
  let answers = new Map<string, AnswerPart | UpstreamError>();
  try {
    answers = packAnswers(completion, new Map(ids.map((id, place) => [id, items[place]?.schema])));
    return answers;
  } finally {
    charge(
      items,
      completion,
      ids.map((id) => {
        const part = answers.get(id);
        return part === undefined || part instanceof UpstreamError ? 0 : part.description.length;
      }),
    );
  }
}

/** Adds each item's part of an answer's tokens: the prompt by the size of its image, the rest by its answer. */
function charge(
  items: readonly VisionItem[],
  completion: VisionChatCompletion,
  answerLengths: readonly number[],
): void {
  const usage = usageOf(completion);
  if (usage === undefined) return;
  const byImage = items.map(({ imageTokens }) => imageTokens);
  const byAnswer = items.map((_, place) => answerLengths[place] ?? 0);
  for (const [place, share] of splitUsage(usage, byImage, byAnswer).entries()) {
    const item = items[place];
    if (item === undefined) continue;
    item.spent = addUsage(item.spent, share);
    notifyBilled(item.request, share, completion.model);
  }
}
