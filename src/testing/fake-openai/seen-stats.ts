import { deepFreeze } from '../../internal/deep-freeze.ts';
import type { FakeUsage } from './answer.ts';
import type { Fault } from './fault-plan.ts';
import type { Endpoint } from './vision-request.ts';

/** How often one image was asked about. */
export interface SeenImageStats {
  /** Requests that carried it. */
  readonly requests: number;
  /** Those of them that were billed. */
  readonly billed: number;
}

/** The counts of a server since its start or the last `reset()`. */
export interface FakeOpenAIStats {
  /** Requests of every endpoint. */
  readonly requests: number;
  readonly requestsByEndpoint: Readonly<Record<Endpoint, number>>;
  /** Answers by HTTP status. */
  readonly answersByStatus: Readonly<Record<string, number>>;
  /** Answers that were 429: by a limit or by a fault. */
  readonly rateLimited: number;
  /** The part of `rateLimited` that the server's own limits sent. */
  readonly limitsReached: number;
  /** Faults that happened, by kind. */
  readonly faults: Readonly<Partial<Record<Fault['kind'], number>>>;
  /** Requests whose client left before the answer was whole. */
  readonly aborted: number;
  /** Calls of chat and responses being answered now, and the most at any time. */
  readonly inFlight: number;
  readonly mostInFlight: number;
  readonly connections: {
    readonly opened: number;
    readonly open: number;
    readonly mostOpen: number;
    /** Requests that came over a connection that had carried one before. */
    readonly reused: number;
  };
  readonly tokensBilled: { readonly prompt: number; readonly completion: number; readonly total: number };
  /** Requests that were billed. */
  readonly requestsBilled: number;
  /** By the 12 digits of the image's hash; the first 100,000 images, none with `countImages: false`. */
  readonly images: Readonly<Record<string, SeenImageStats>>;
}

const MAX_TRACKED_IMAGES = 100_000;

/** Counts; cheap enough to stay on always. */
export class SeenStats {
  readonly #countsImages: boolean;
  #requests: Record<Endpoint, number> = { chat: 0, responses: 0, models: 0, other: 0 };
  #statuses = new Map<number, number>();
  #faults = new Map<Fault['kind'], number>();
  #images = new Map<string, { requests: number; billed: number }>();
  #limitsReached = 0;
  #aborted = 0;
  #inFlight = 0;
  #mostInFlight = 0;
  #opened = 0;
  #open = 0;
  #mostOpen = 0;
  #reused = 0;
  #promptTokens = 0;
  #completionTokens = 0;
  #requestsBilled = 0;

  constructor(countsImages = true) {
    this.#countsImages = countsImages;
  }

  connectionOpened(): void {
    this.#opened += 1;
    this.#open += 1;
    this.#mostOpen = Math.max(this.#mostOpen, this.#open);
  }

  connectionClosed(): void {
    this.#open -= 1;
  }

  requestArrived(endpoint: Endpoint, reused: boolean): void {
    this.#requests[endpoint] += 1;
    if (reused) this.#reused += 1;
    if (!isCall(endpoint)) return;
    this.#inFlight += 1;
    this.#mostInFlight = Math.max(this.#mostInFlight, this.#inFlight);
  }

  requestEnded(endpoint: Endpoint, aborted: boolean): void {
    if (isCall(endpoint)) this.#inFlight -= 1;
    if (aborted) this.#aborted += 1;
  }

  answered(status: number): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
  }

  limitReached(): void {
    this.#limitsReached += 1;
  }

  faultHappened(kind: Fault['kind']): void {
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1);
  }

  imageSeen(hash: string): void {
    const known = this.#images.get(hash);
    if (known !== undefined) known.requests += 1;
    else if (this.#countsImages && this.#images.size < MAX_TRACKED_IMAGES)
      this.#images.set(hash, { requests: 1, billed: 0 });
  }

  billed({ promptTokens, completionTokens }: FakeUsage, imageHashes: readonly string[]): void {
    this.#requestsBilled += 1;
    this.#promptTokens += promptTokens;
    this.#completionTokens += completionTokens;
    for (const hash of imageHashes) {
      const known = this.#images.get(hash);
      if (known !== undefined) known.billed += 1;
    }
  }

  /** Forgets everything but what is open and in flight now. */
  reset(): void {
    this.#requests = { chat: 0, responses: 0, models: 0, other: 0 };
    this.#statuses = new Map();
    this.#faults = new Map();
    this.#images = new Map();
    this.#limitsReached = 0;
    this.#aborted = 0;
    this.#mostInFlight = this.#inFlight;
    this.#opened = 0;
    this.#mostOpen = this.#open;
    this.#reused = 0;
    this.#promptTokens = 0;
    this.#completionTokens = 0;
    this.#requestsBilled = 0;
  }

  snapshot(): FakeOpenAIStats {
    const { chat, responses, models, other } = this.#requests;
    return deepFreeze({
      requests: chat + responses + models + other,
      requestsByEndpoint: { ...this.#requests },
      answersByStatus: Object.fromEntries(this.#statuses),
      rateLimited: this.#statuses.get(429) ?? 0,
      limitsReached: this.#limitsReached,
      faults: Object.fromEntries(this.#faults),
      aborted: this.#aborted,
      inFlight: this.#inFlight,
      mostInFlight: this.#mostInFlight,
      connections: {
        opened: this.#opened,
        open: this.#open,
        mostOpen: this.#mostOpen,
        reused: this.#reused,
      },
      tokensBilled: {
        prompt: this.#promptTokens,
        completion: this.#completionTokens,
        total: this.#promptTokens + this.#completionTokens,
      },
      requestsBilled: this.#requestsBilled,
      images: Object.fromEntries([...this.#images].map(([hash, counts]) => [hash, { ...counts }])),
    });
  }
}

const isCall = (endpoint: Endpoint) => endpoint === 'chat' || endpoint === 'responses';
