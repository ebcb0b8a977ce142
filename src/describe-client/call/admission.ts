import { QueueFullError } from '../../errors/queue-full-error.ts';
import { type Clock, systemClock } from '../../internal/clock.ts';
import { PriorityQueue } from '../../internal/collections/priority-queue.ts';
import { checkOptions, integer, type OptionChecks, withMethods } from '../../internal/options/option-checks.ts';
import { CallTicket, type RoomKeeper, RoomWait } from './admission-ticket.ts';

export interface AdmissionOptions {
  /**
   * Calls in the client at a time, in work or in any line of it, at least 1; more are refused at once with
   * `DESCRIBE_QUEUE_FULL`.
   * @defaultValue 10_000
   */
  readonly maxQueuedCalls?: number | undefined;
  /**
   * Bytes of images held in memory at a time, at least 1: a call waits for room before it reads its image. An image
   * larger than this passes alone. Encoding an image into a request takes another 4/3 of its bytes while it is sent.
   * @defaultValue 268_435_456 (256 MiB)
   */
  readonly maxBytesInFlight?: number | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

/** A frozen, JSON-safe picture of the gate. */
export interface AdmissionStats {
  /** Calls in the client. */
  readonly calls: number;
  /** Calls that wait for room for their image. */
  readonly waiting: number;
  /** Bytes of images in memory, or about to be. */
  readonly bytesInFlight: number;
  /** Calls that were refused since the start because the client was full. */
  readonly refused: number;
}

const DEFAULTS = {
  maxQueuedCalls: 10_000,
  maxBytesInFlight: 256 * 1024 * 1024,
} as const satisfies AdmissionOptions;

export const ADMISSION_CHECKS: OptionChecks<Omit<AdmissionOptions, 'clock'>> = {
  maxQueuedCalls: integer({ min: 1 }),
  maxBytesInFlight: integer({ min: 1 }),
};

/** A step of priority is worth so much of earlier arrival, so that nobody starves. */
const AGEING_MS = 1000;

/**
 * The gate of a client: bounds its calls by number, and the images that they hold in memory by bytes. Who waits for
 * room goes by priority, then in the order of arrival; nobody overtakes for being smaller.
 */
export class Admission implements RoomKeeper {
  readonly #maxQueuedCalls: number;
  readonly #maxBytesInFlight: number;
  readonly #clock: Clock;
  readonly #line = new PriorityQueue<RoomWait>(AGEING_MS);
  #calls = 0;
  #bytes = 0;
  #refused = 0;
  #sequence = 0;

  /** @throws `DESCRIBE_CONFIG_INVALID` for a wrong option. */
  constructor(options: AdmissionOptions = {}) {
    const own = checkOptions<AdmissionOptions>('Admission', options, {
      ...ADMISSION_CHECKS,
      clock: withMethods('a clock', 'now', 'setTimeout', 'clearTimeout'),
    });
    const {
      maxQueuedCalls = DEFAULTS.maxQueuedCalls,
      maxBytesInFlight = DEFAULTS.maxBytesInFlight,
      clock = systemClock,
    } = own;
    this.#maxQueuedCalls = maxQueuedCalls;
    this.#maxBytesInFlight = maxBytesInFlight;
    this.#clock = clock;
  }

  /**
   * Lets a call in; its ticket must `leave()` once, whatever happens. `waits` is called when a wait for room begins,
   * and what it returns when that ends.
   * @throws `DESCRIBE_QUEUE_FULL` when `maxQueuedCalls` are in.
   */
  enter(priority = 0, waits: () => () => void = () => () => {}): CallTicket {
    if (this.#calls >= this.#maxQueuedCalls) {
      this.#refused += 1;
      throw new QueueFullError('the client', 'limits.maxQueuedCalls', this.#maxQueuedCalls);
    }
    this.#calls += 1;
    return new CallTicket(this, priority, waits);
  }

  getStats(): AdmissionStats {
    return Object.freeze({
      calls: this.#calls,
      waiting: this.#line.size,
      bytesInFlight: this.#bytes,
      refused: this.#refused,
    });
  }

  /** For tickets: takes room at once, or the place in line that waits for it. */
  takeRoom(bytes: number, priority: number): RoomWait | undefined {
    if (this.#line.size === 0 && this.#fits(bytes)) {
      this.#bytes += bytes;
      return undefined;
    }
    this.#sequence += 1;
    const wait = new RoomWait(bytes, priority, this.#sequence, this.#clock.now());
    this.#line.add(wait);
    this.#serve();
    return wait;
  }

  /** For tickets: what is held became more or less, without a wait. */
  changeRoom(byBytes: number): void {
    this.#bytes += byBytes;
    if (byBytes < 0) this.#serve();
  }

  /** For tickets: a wait ended without its room. */
  giveUp(wait: RoomWait): void {
    this.#line.remove(wait);
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
    for (let first = this.#line.first; first !== undefined && this.#fits(first.bytes); ) {
      this.#line.remove(first);
      this.#bytes += first.bytes;
      first.grant();
      first = this.#line.first;
    }
  }
}
