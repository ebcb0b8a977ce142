import { addUsage, type VisionUsage } from '../../batch-processor/packs/vision-usage.ts';
import type { Billed } from '../../errors/copy-error.ts';
import { roundUsd } from '../../openai/models/cost.ts';

/** Price of what an answer was billed. */
export type PriceOf = (answered: string, asked: string, usage: VisionUsage) => number | undefined;

/** One answer, or a part of a shared one, that was billed. */
interface Item {
  readonly usage: VisionUsage;
  readonly answeredModel: string;
  readonly askedModel: string;
}

/** What one call was billed, over all its attempts: answers of no use are billed too. */
export class CallBill {
  readonly #items: Item[] = [];

  /** @param answeredModel as the API named it; the model that was asked for where it named none. */
  add(usage: VisionUsage, answeredModel: unknown, askedModel: string): void {
    const answered = typeof answeredModel === 'string' ? answeredModel : askedModel;
    this.#items.push({ usage, answeredModel: answered, askedModel });
  }

  /** Empty where nothing was billed; without a price where that of an answer is unknown. */
  total(priceOf: PriceOf): Billed {
    let usage: VisionUsage | undefined;
    let cost: number | undefined = 0;
    for (const item of this.#items) {
      usage = addUsage(usage, item.usage);
      const price = priceOf(item.answeredModel, item.askedModel, item.usage);
      cost = cost === undefined || price === undefined ? undefined : cost + price;
    }
    if (usage === undefined) return {};
    return { usage, ...(cost === undefined ? {} : { costUsd: roundUsd(cost) }) };
  }
}
