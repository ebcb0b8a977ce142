import { QueueFullError } from '../../errors/queue-full-error.ts';
import { onAbort } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import { type Bucket, PriorityQueue, type QueueItem } from '../../internal/collections/priority-queue.ts';
import { checkOptions, clockOption, integer, type OptionChecks } from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';

export interface AdmissionOptions {
  /**
   * Calls in the client at a time, at work or waiting anywhere in it, at least 1; more are refused at once with
   * `DESCRIBE_QUEUE_FULL`.
   * @defaultValue 10_000
   */
  readonly maxQueuedCalls?: number | undefined;
  /**
   * Bytes of images held in memory at a time, at least 1: a call waits for capacity before it reads its image. An image
   * larger than this passes alone. Encoding an image into a request takes another 4/3 of its bytes while it is sent.
   * @defaultValue 268_435_456 (256 MiB)
   */
  readonly maxBytesInFlight?: number | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

/** A frozen, JSON-safe picture of the calls in the client. */
export interface AdmissionStats {
  /** Calls in the client. */
  readonly calls: number;
  /** Calls that wait for capacity for their image. */
  readonly waiting: number;
  /** Bytes of images in memory, or about to be. */
  readonly bytesInFlight: number;
  /** Calls that were refused since the start because the client was full. */
  readonly refused: number;
}

export const ADMISSION_SPEC = {
  maxQueuedCalls: withDefault(integer({ min: 1 }), 10_000),
  maxBytesInFlight: withDefault(integer({ min: 1 }), 268_435_456),
} satisfies OptionChecks<Omit<AdmissionOptions, 'clock'>>;

/** A step of priority is worth this much of earlier arrival, so that no call starves. */
const AGEING_MS = 1000;

/** Capacity in memory for the image of a call, taken before its bytes are read. */
export interface ByteCapacity {
  /**
   * Takes capacity for so many bytes, and waits until it is there; nothing when as much is held already.
   * @throws the signal's reason when it aborts.
   */
  reserve(bytes: number, signal: AbortSignal): Promise<void>;
  /** Corrects the number of bytes to what is in memory; never waits. */
  correct(bytes: number): void;
}

/** For callers that read images without a bound. */
export const UNBOUNDED_CAPACITY: ByteCapacity = { reserve: async () => {}, correct: () => {} };

/**
 * Bounds the calls of a client by number, and the images that they hold in memory by bytes. Calls that wait for
 * capacity are served by priority, then in the order of arrival; a smaller image never overtakes a larger one.
 */
export class Admission {
  readonly #maxQueuedCalls: number;
  readonly #maxBytesInFlight: number;
  readonly #clock: Clock;
  readonly #queue = new PriorityQueue<CapacityWait>(AGEING_MS);
  #calls = 0;
  #bytes = 0;
  #refused = 0;
  #sequence = 0;

  /** @throws `DESCRIBE_CONFIG_INVALID` for a wrong option. */
  constructor(options: AdmissionOptions = {}) {
    const spec = { ...ADMISSION_SPEC, clock: clockOption };
    const { maxQueuedCalls, maxBytesInFlight, clock } = checkOptions('Admission', options, spec);
    this.#maxQueuedCalls = maxQueuedCalls;
    this.#maxBytesInFlight = maxBytesInFlight;
    this.#clock = clock;
  }

  /**
   * Admits a call; its ticket must `leave()` once, whatever happens. `waits` is called when a wait for capacity begins;
   * the function that it returns is called when that wait ends.
   * @throws `DESCRIBE_QUEUE_FULL` when `maxQueuedCalls` are in.
   */
  enter(priority = 0, waits: () => () => void = () => () => {}): AdmissionTicket {
    if (this.#calls >= this.#maxQueuedCalls) {
      this.#refused += 1;
      throw new QueueFullError('the client', 'limits.maxQueuedCalls', this.#maxQueuedCalls);
    }
    this.#calls += 1;
    return new AdmissionTicket(this, priority, waits);
  }

  getStats(): AdmissionStats {
    return Object.freeze({
      calls: this.#calls,
      waiting: this.#queue.size,
      bytesInFlight: this.#bytes,
      refused: this.#refused,
    });
  }

  /** For tickets: takes capacity at once, or gives the wait for it. */
  take(bytes: number, priority: number): CapacityWait | undefined {
    if (this.#queue.size === 0 && this.#fits(bytes)) {
      this.#bytes += bytes;
      return undefined;
    }
    this.#sequence += 1;
    const wait = new CapacityWait(bytes, priority, this.#sequence, this.#clock.now());
    this.#queue.add(wait);
    this.#serve();
    return wait;
  }

  /** For tickets: the bytes held became more or fewer, without a wait. */
  change(byBytes: number): void {
    this.#bytes += byBytes;
    if (byBytes < 0) this.#serve();
  }

  /** For tickets: a wait ended without its capacity. */
  giveUp(wait: CapacityWait): void {
    this.#queue.remove(wait);
    this.#serve();
  }

  /** For tickets: a call left. */
  left(): void {
    this.#calls -= 1;
  }

  #fits(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#maxBytesInFlight;
  }

  #serve(): void {
    for (let { first } = this.#queue; first !== undefined && this.#fits(first.bytes); { first } = this.#queue) {
      this.#queue.remove(first);
      this.#bytes += first.bytes;
      first.granted = true;
      first.onGrant?.();
    }
  }
}

/** A queued wait for capacity. */
class CapacityWait implements QueueItem<CapacityWait> {
  readonly bytes: number;
  readonly priority: number;
  readonly sequence: number;
  readonly atMs: number;
  bucket: Bucket<CapacityWait> | undefined;
  previous: CapacityWait | undefined;
  next: CapacityWait | undefined;
  /** Capacity may be granted before anybody waits for it. */
  granted = false;
  onGrant: (() => void) | undefined;

  constructor(bytes: number, priority: number, sequence: number, atMs: number) {
    this.bytes = bytes;
    this.priority = priority;
    this.sequence = sequence;
    this.atMs = atMs;
  }
}

/** One call in the client, with the capacity that its image takes. Both are given back once, whatever happens. */
export class AdmissionTicket implements ByteCapacity {
  readonly #admission: Admission;
  readonly #priority: number;
  readonly #waits: () => () => void;
  /** The call itself, and work that outlives it. */
  #holders = 1;
  #inside = true;
  #bytes = 0;

  constructor(admission: Admission, priority: number, waits: () => () => void) {
    this.#admission = admission;
    this.#priority = priority;
    this.#waits = waits;
  }

  async reserve(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#holders === 0 || bytes <= this.#bytes) return;
    // A call that waits while it holds capacity would lock out those that wait for it.
    if (this.#bytes > 0) {
      this.correct(bytes);
      return;
    }
    const wait = this.#admission.take(bytes, this.#priority);
    if (wait !== undefined && !wait.granted) {
      const ended = this.#waits();
      await this.#granted(wait, signal).finally(ended);
    }
    // The call may have ended in the same moment: then its capacity goes back.
    if (this.#holders === 0) this.#admission.change(-bytes);
    else this.#bytes += bytes;
  }

  correct(bytes: number): void {
    if (this.#holders === 0) return;
    const byBytes = bytes - this.#bytes;
    this.#bytes = bytes;
    if (byBytes !== 0) this.#admission.change(byBytes);
  }

  /** Keeps the capacity for work that may outlive the call, until the function returned is first called. */
  hold(): () => void {
    let held = this.#holders > 0;
    if (held) this.#holders += 1;
    return () => {
      if (held) this.#release();
      held = false;
    };
  }

  /** The call has ended. Idempotent. */
  leave(): void {
    if (!this.#inside) return;
    this.#inside = false;
    this.#admission.left();
    this.#release();
  }

  #granted(wait: CapacityWait, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const detach = onAbort(signal, (reason) => {
        wait.onGrant = undefined;
        this.#admission.giveUp(wait);
        reject(reason);
      });
      wait.onGrant = () => {
        detach();
        resolve();
      };
    });
  }

  #release(): void {
    this.#holders -= 1;
    if (this.#holders > 0 || this.#bytes === 0) return;
    const bytes = this.#bytes;
    this.#bytes = 0;
    this.#admission.change(-bytes);
  }
}
