import { onAbort } from '../../internal/async/signals.ts';
import type { Clock, TimerHandle } from '../../internal/clock.ts';
import { type Bucket, PriorityQueue, type QueueItem } from '../../internal/collections/priority-queue.ts';

/** An acquire that waits. Exactly one of `resolve` and `reject` is called, once. */
export class Waiter<Item> implements QueueItem<Waiter<Item>> {
  readonly priority: number;
  readonly sequence: number;
  readonly atMs: number;
  readonly timeoutMs: number;
  readonly resolve: (item: Item) => void;
  readonly reject: (reason: unknown) => void;
  /** The stack of its acquire, kept only while leaks are looked for. */
  acquiredBy: Error | undefined = undefined;
  /** Whether a slot is being made for this waiter. */
  claimed = false;
  bucket: Bucket<Waiter<Item>> | undefined = undefined;
  previous: Waiter<Item> | undefined = undefined;
  next: Waiter<Item> | undefined = undefined;
  detach: (() => void) | undefined = undefined;
  /** Its own timer; undefined when its timeout is the common one. */
  timer: TimerHandle | undefined = undefined;

  constructor(
    priority: number,
    sequence: number,
    atMs: number,
    timeoutMs: number,
    resolve: (item: Item) => void,
    reject: (reason: unknown) => void,
  ) {
    this.priority = priority;
    this.sequence = sequence;
    this.atMs = atMs;
    this.timeoutMs = timeoutMs;
    this.resolve = resolve;
    this.reject = reject;
  }

  get dueAtMs(): number {
    return this.atMs + this.timeoutMs;
  }
}

export interface WaitingQueueOptions<Item> {
  readonly clock: Clock;
  /** The timeout of a waiter that brings none of its own. */
  readonly timeoutMs: number;
  /** Makes the reason of a waiter whose timeout is over. */
  readonly timedOut: (waiter: Waiter<Item>) => unknown;
  /** Called after a waiter left the queue unserved. */
  readonly left: (waiter: Waiter<Item>, why: 'timeout' | 'abort') => void;
}

/**
 * Acquires that wait, by strict priority; any of them may leave at any moment.
 *
 * Waiters with the common timeout become due in the order of arrival, so one timer serves all of them. It stays armed
 * while the queue empties and fills, because a timer for each wait would cost more than the wait itself.
 */
export class WaitingQueue<Item> extends PriorityQueue<Waiter<Item>> {
  readonly #options: WaitingQueueOptions<Item>;
  readonly #reference: QueueReference<WaitingQueue<Item>> = { weak: new WeakRef(this), strong: undefined };
  #joined = 0;
  #timer: TimerHandle | undefined;
  /** Waiters that a slot is being made for; only this class writes it. */
  claimed = 0;

  constructor(options: WaitingQueueOptions<Item>) {
    super(Number.POSITIVE_INFINITY);
    this.#options = options;
  }

  /** Adds a waiter at the end of its priority. Calls `onJoined` before the promise is returned. */
  join(
    priority: number,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    onJoined: (waiter: Waiter<Item>) => void,
  ): Promise<Item> {
    return new Promise<Item>((resolve, reject) => {
      const { clock } = this.#options;
      this.#joined += 1;
      const waiter = new Waiter<Item>(priority, this.#joined, clock.now(), timeoutMs, resolve, reject);
      this.add(waiter);
      if (this.size === 1) {
        this.#reference.strong = this;
        holdProcess(this.#timer, true);
      }
      if (timeoutMs !== this.#options.timeoutMs) {
        waiter.timer = clock.setTimeout(() => this.#expire(waiter), timeoutMs);
      } else if (this.#timer === undefined) {
        this.#arm(timeoutMs);
      }
      if (signal !== undefined) {
        waiter.detach = onAbort(signal, (reason) => {
          this.remove(waiter);
          waiter.reject(reason);
          this.#options.left(waiter, 'abort');
        });
      }
      onJoined(waiter);
    });
  }

  override remove(waiter: Waiter<Item>): boolean {
    if (!super.remove(waiter)) return false;
    waiter.detach?.();
    if (waiter.timer !== undefined) this.#options.clock.clearTimeout(waiter.timer);
    if (waiter.claimed) this.claimed -= 1;
    if (this.size === 0) {
      this.#reference.strong = undefined;
      holdProcess(this.#timer, false);
    }
    return true;
  }

  /** Marks the first waiter for which no slot is being made, and returns it. */
  claim(): Waiter<Item> | undefined {
    let chosen: Waiter<Item> | undefined;
    for (const { first } of this.buckets()) {
      let waiter = first;
      while (waiter?.claimed) waiter = waiter.next;
      if (waiter !== undefined && (chosen === undefined || waiter.priority > chosen.priority)) chosen = waiter;
    }
    if (chosen !== undefined) {
      chosen.claimed = true;
      this.claimed += 1;
    }
    return chosen;
  }

  /** Removes the mark of `claim`. Ignored for a waiter that left. */
  unclaim(waiter: Waiter<Item>): void {
    if (!waiter.claimed || waiter.bucket === undefined) return;
    waiter.claimed = false;
    this.claimed -= 1;
  }

  /** Rejects every waiter and drops the common timer. */
  clear(makeReason: () => unknown): void {
    for (let waiter = this.shift(); waiter !== undefined; waiter = this.shift()) waiter.reject(makeReason());
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #expire(waiter: Waiter<Item>): void {
    this.remove(waiter);
    waiter.reject(this.#options.timedOut(waiter));
    this.#options.left(waiter, 'timeout');
  }

  #arm(delayMs: number): void {
    const onTime = WaitingQueue.#expireDue<Item>;
    // A negative delay would cause a warning of Node.
    this.#timer = this.#options.clock.setTimeout(captured(this.#reference, onTime), Math.max(0, delayMs));
  }

  static #expireDue<Item>(this: void, queue: WaitingQueue<Item>): void {
    const nowMs = queue.#options.clock.now();
    const due: Waiter<Item>[] = [];
    for (const bucket of queue.buckets()) {
      for (const waiter of withoutTimer(bucket)) {
        if (waiter.dueAtMs > nowMs) break;
        due.push(waiter);
      }
    }
    // Listeners may add or remove waiters, so the timer is armed after all of them have run.
    for (const waiter of due) if (waiter.bucket !== undefined) queue.#expire(waiter);
    queue.#timer = undefined;
    let nextDueAtMs = Number.POSITIVE_INFINITY;
    for (const bucket of queue.buckets()) {
      for (const { dueAtMs } of withoutTimer(bucket)) {
        nextDueAtMs = Math.min(nextDueAtMs, dueAtMs);
        break;
      }
    }
    if (nextDueAtMs < Number.POSITIVE_INFINITY) queue.#arm(nextDueAtMs - queue.#options.clock.now());
  }
}

/**
 * The reference of the common timer to its queue. It is strong while a call waits, which has to be rejected in time.
 * Otherwise it is weak, so that the timer does not keep an abandoned queue alive.
 */
interface QueueReference<Queue extends object> {
  readonly weak: WeakRef<Queue>;
  strong: Queue | undefined;
}

/** Makes a callback that holds only the reference, not the queue. */
const captured =
  <Queue extends object>(reference: QueueReference<Queue>, run: (queue: Queue) => void): (() => void) =>
  () => {
    const queue = reference.strong ?? reference.weak.deref();
    if (queue !== undefined) run(queue);
  };

/** The waiters of a bucket that share the common timer, in the order in which they become due. */
function* withoutTimer<Item>({ first }: Bucket<Waiter<Item>>): Generator<Waiter<Item>> {
  for (let waiter = first; waiter !== undefined; waiter = waiter.next) {
    if (waiter.timer === undefined) yield waiter;
  }
}

/** Makes a timer keep the process alive or not, where the clock's handles can do so. */
function holdProcess(handle: TimerHandle | undefined, hold: boolean): void {
  if (typeof handle !== 'object' || !('ref' in handle) || !('unref' in handle)) return;
  const timer = handle as { ref(): unknown; unref(): unknown };
  if (hold) timer.ref();
  else timer.unref();
}
