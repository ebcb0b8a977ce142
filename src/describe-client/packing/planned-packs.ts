import { dataUrlLength } from '../../batch-processor/packs/image-data-url.ts';
import { packShare } from '../../batch-processor/packs/pack-limits.ts';
import { packIds, packRequest } from '../../batch-processor/packs/pack-request.ts';
import { packGroup } from '../../batch-processor/packs/vision-item.ts';
import type { VisionItem } from '../../batch-processor/packs/vision-request.ts';
import type { VisionChatRequest } from '../../batch-processor/packs/vision-target.ts';
import type { LoadedImage } from '../../image/index.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { estimateTextTokens } from '../../openai/models/call-estimate.ts';
import type { PlannedCall } from '../../openai/models/estimate.ts';
import { type ImageSize, reservedImageTokens } from '../../openai/models/image-tokens.ts';
import type { ModelCatalog } from '../../openai/models/model-catalog.ts';
import type { NormalisedRequest } from '../options/request-spec.ts';
import { type PackPlan, plannedCall } from './packing-cost.ts';

/** Most groups with an open request. Beyond that, the oldest request counts as full. */
const MAX_OPEN_PACKS = 1_000;
/** The id and the JSON around each answer of a pack. */
const ANSWER_FRAME_TOKENS = estimateTextTokens('{"id":"000","text":""},');

/** A request that is being filled. It holds no image, because there may be any number of inputs. */
interface OpenPack {
  readonly items: VisionItem[];
  readonly sizes: (ImageSize | undefined)[];
  share: number;
}

/** Plans the requests that would be sent for images: one each, or packs that are filled one after the other. */
export class PlannedPacks {
  readonly #plan: PackPlan;
  readonly #catalog: ModelCatalog;
  readonly #expectedOutputTokens: number | undefined;
  readonly #packs = new BoundedMap<string, OpenPack>(MAX_OPEN_PACKS, {
    onEvicted: (pack) => this.#evicted.push(this.#planned(pack)),
  });
  #evicted: PlannedCall[] = [];

  constructor(plan: PackPlan, catalog: ModelCatalog, expectedOutputTokens: number | undefined) {
    this.#plan = plan;
    this.#catalog = catalog;
    this.#expectedOutputTokens = expectedOutputTokens;
  }

  /** Adds an image, and returns the requests that it makes full. */
  add(image: LoadedImage, request: NormalisedRequest): PlannedCall[] {
    const size = image.kind === 'bytes' ? { width: image.width, height: image.height } : undefined;
    const item = this.#itemOf(image, size, request);
    if (this.#plan.batchSize === 1) return [this.#planned({ items: [item], sizes: [size], share: 0 })];
    const full: PlannedCall[] = [];
    const share = packShare(item, this.#plan);
    let pack = this.#packs.peek(item.group);
    if (pack !== undefined && pack.share + share > 1) {
      full.push(this.#close(item.group, pack));
      pack = undefined;
    }
    if (pack === undefined) {
      pack = { items: [], sizes: [], share: 0 };
      this.#packs.set(item.group, pack);
    }
    pack.items.push(item);
    pack.sizes.push(size);
    pack.share += share;
    if (pack.items.length >= this.#plan.batchSize) full.push(this.#close(item.group, pack));
    full.push(...this.#evicted);
    this.#evicted = [];
    return full;
  }

  /** The requests that are not full. */
  rest(): PlannedCall[] {
    return [...this.#packs].map(([group, pack]) => this.#close(group, pack));
  }

  #close(group: string, pack: OpenPack): PlannedCall {
    this.#packs.delete(group);
    return this.#planned(pack);
  }

  #planned({ items, sizes }: OpenPack): PlannedCall {
    const [first] = items;
    if (first === undefined) throw new RangeError('a request has at least one image');
    const { model, detail, maxOutputTokens, reasoningEffort } = first;
    const expected = this.#expectedOutputTokens;
    if (items.length === 1) return { ...plannedCall(first), images: sizes, expectedOutputTokens: expected };
    // Counted on the very request that would be sent, so that every word of it counts.
    const request = packRequest(items, Array(items.length).fill(''), packIds(items.length));
    return {
      model,
      detail,
      images: sizes,
      prompt: textOf(request),
      jsonSchema: schemaOf(request),
      maxOutputTokens: request.max_completion_tokens ?? items.length * maxOutputTokens,
      reasoningEffort,
      expectedOutputTokens:
        expected === undefined ? undefined : items.length * (Math.min(expected, maxOutputTokens) + ANSWER_FRAME_TOKENS),
    };
  }

  #itemOf(image: LoadedImage, size: ImageSize | undefined, asked: NormalisedRequest): VisionItem {
    const { prompt, model, detail, maxOutputTokens, schema, scope } = asked;
    const { system, temperature, reasoningEffort, extraBody } = asked;
    const parameters = { system, temperature, reasoningEffort, extraBody };
    const sizing = { model, detail, catalog: this.#catalog };
    return {
      request: {},
      prompt,
      model,
      detail,
      maxOutputTokens,
      schema,
      ...parameters,
      group: packGroup({ model, detail, maxOutputTokens, prompt, schema, scope, ...parameters }),
      imageTokens: reservedImageTokens(sizing, size),
      imageBytes: image.kind === 'url' ? image.url.length : dataUrlLength(image.bytes.byteLength),
      url: async () => '',
      spent: undefined,
    };
  }
}

/** All text of a body. */
export function textOf({ messages }: VisionChatRequest): string {
  let text = '';
  for (const { content } of messages) {
    if (typeof content === 'string') text += content;
    if (!Array.isArray(content)) continue;
    for (const part of content) if (part.type === 'text') text += part.text;
  }
  return text;
}

/** The schema that a request asks to be answered by. */
export const schemaOf = ({ response_format: format }: VisionChatRequest) =>
  format?.type === 'json_schema' ? format.json_schema.schema : undefined;
