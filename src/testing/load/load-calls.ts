import { drawAt } from '../fake-openai/random.ts';
import { createTestImage } from '../fake-openai/test-image.ts';
import type { LoadTraffic } from './load-scenario.ts';
import type { LoadCallOptions } from './load-target.ts';

/** One call of a load, before it begins. */
export interface LoadCall {
  readonly method: 'describe' | 'stream';
  readonly image: Uint8Array;
  /** Number of its tenant, from 0; `undefined` for the client itself. */
  readonly tenant: number | undefined;
  readonly options: LoadCallOptions;
}

/** Seeds of images: those of a set are the first of a kind's range, new ones follow. */
const SEEDS_PER_KIND = 1_000_000_000;
const FIRST_NEW_SEED = 100_000_000;
const ONE_NEW_SMALL_IMAGE: readonly LoadTraffic[] = [{}];

/** Draws the calls of a scenario. The n-th one depends on the seed and on n alone, whatever the timing. */
export class LoadCalls {
  readonly #traffic: readonly LoadTraffic[];
  readonly #shares: readonly number[];
  readonly #seed: number;

  constructor(traffic: readonly LoadTraffic[] = ONE_NEW_SMALL_IMAGE, seed: number) {
    this.#traffic = traffic;
    this.#shares = traffic.map(({ share = 1 }) => share);
    this.#seed = seed;
  }

  at(index: number): LoadCall {
    const kind = this.#kindOf(index);
    const { method = 'describe', images = 'new', imageBytes, tenants, prompt } = this.#traffic[kind] ?? {};
    const number = images === 'new' ? FIRST_NEW_SEED + index : Math.floor(drawAt(this.#seed, index, 2) * images);
    // The run's seed keeps the images of two runs apart, so that no cache of the first serves the second.
    const seed = (this.#seed * 10 + kind) * SEEDS_PER_KIND + number;
    return {
      method,
      image: createTestImage({ seed, ...(imageBytes === undefined ? {} : { fileBytes: imageBytes }) }),
      tenant: tenants === undefined ? undefined : index % tenants,
      options: prompt === undefined ? {} : { prompt },
    };
  }

  #kindOf(index: number): number {
    let left = drawAt(this.#seed, index, 1) * this.#shares.reduce((sum, share) => sum + share, 0);
    const kind = this.#shares.findIndex((share) => {
      left -= share;
      return left < 0;
    });
    return Math.max(0, kind);
  }
}
